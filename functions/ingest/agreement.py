"""Whether a data file is what its control file states: counts, size, checksum. Pure."""

import hashlib
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from functions.ingest.control import Stated
from functions.ingest.readers.trailer import LINES, NOT_COUNTED, RECORDS, WITH_HEADER
from stockflow.errors import PermanentError

WITH_TOTALS = "records and totals"
COUNTS = "control_counts"  # in the detail of a record: what a control file may have counted
CODES = ("control_count", "control_size", "control_checksum")
_PACKED = (".gz", ".zst", ".bz2", ".zip")
_PART = 1 << 20


@dataclass(frozen=True)
class Found:
    """What was read of a data file. ``md5``: base64, blank when not known; ``detail``: what its reader noted."""

    name: str
    size: int
    md5: str
    rows: int
    rejects: int
    detail: dict[str, Any]

    def readings(self, stated: int) -> list[str]:
        """Return what a sender has counted who states that number; nothing when nothing fits.

        A header counts only where the format has one: a JSON file with a record less than stated is a cut one.
        """
        records = self.rows + self.rejects
        bare = records - int(self.detail.get("not_counted", 0))
        headers = int(self.detail.get("member_count", 1)) if self.detail.get("header_line") else 0
        lines = {records + headers, int(self.detail.get("physical_lines", records))}
        known = {WITH_TOTALS: {records}, WITH_HEADER: {bare + headers}, LINES: lines}
        return [RECORDS] if stated == bare else [name for name, counts in known.items() if stated in counts]

    @property
    def as_sent(self) -> bool:
        """Whether the stored bytes are those of the name: not packed in transfer."""
        return not self.detail.get("packed") or self.name.lower().endswith(_PACKED)


def not_counted(codes: dict[str, int]) -> int:
    """Return how many rejects are no records: totals, trailers, repeated headers."""
    return sum(codes.get(code, 0) for code in NOT_COUNTED)


def check(stated: Stated, by: str, found: Found, content: Callable[[], BinaryIO]) -> dict[str, Any]:
    """See that a file is what the control file ``by`` states; what it does not state is not compared.

    Returns its count and what that may count, as facts; nothing when it states none. ``content`` opens the file again,
    for a checksum other than MD5.

    Raises:
        PermanentError: ``control_count``, ``control_size`` or ``control_checksum``, with both values.
    """
    readings = [] if stated.rows is None else found.readings(stated.rows)
    if stated.rows is not None and not readings:
        raise _differs("control_count", by, found, f"{stated.rows:,} rows", f"{found.rows + found.rejects:,}")
    whole = found.as_sent and stated.about == found.name.rpartition("/")[2]
    if whole and stated.size is not None and stated.size != found.size:
        raise _differs("control_size", by, found, f"{stated.size:,} bytes", f"{found.size:,}")
    if whole and stated.checksum and (actual := _checksum(stated.algorithm, found, content)) != stated.checksum:
        raise _differs("control_checksum", by, found, f"{stated.algorithm} {stated.checksum}", actual)
    return {"control_file": by, "control_count": stated.rows, COUNTS: readings} if readings else {}


def is_sure(facts: Mapping[str, Any]) -> bool:
    """Whether a count is that of the records: else a file that has lost a record would look the same."""
    return COUNTS not in facts or RECORDS in facts[COUNTS]


def less_sure(facts: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """Return what is noted of two control files of one file: what is less sure of them."""
    return others if others and (not facts or is_sure(facts)) else facts


def _checksum(algorithm: str, found: Found, content: Callable[[], BinaryIO]) -> str:
    if algorithm == "md5" and found.md5:
        return b64decode(found.md5).hex()
    hasher = hashlib.new(algorithm, usedforsecurity=False)
    with content() as stream:
        while part := stream.read(_PART):
            hasher.update(part)
    return hasher.hexdigest()


def _differs(code: str, by: str, found: Found, stated: str, actual: str) -> PermanentError:
    return PermanentError(
        code,
        f"{found.name}: its control file {by} states {stated}, found was {actual}: the file was cut or changed on its "
        "way, or the control file is of another one. Send the right file, or a corrected control file",
        control_file=by,
        stated=stated,
        found=actual,
    )
