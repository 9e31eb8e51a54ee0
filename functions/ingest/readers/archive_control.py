"""Control files within a ZIP archive: compared with the files of data beside them, as those in a bucket are."""

import zipfile
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from functions.ingest.agreement import COUNTS, Found, check, less_sure
from functions.ingest.control import HEAD, Stated, stated
from functions.ingest.readers.archive_members import Members, name_in
from stockflow.errors import PermanentError

Said = tuple[str, Stated]  # by which control file, and what


@dataclass(frozen=True)
class Control:
    """What the control files of an archive state of each member; ``notes``: control file -> what became of it."""

    archive: zipfile.ZipFile
    said: dict[zipfile.ZipInfo, list[Said]]
    notes: dict[str, str]

    @classmethod
    def of(cls, archive: zipfile.ZipFile, members: Members) -> "Control":
        """Read the control files."""
        said, notes = defaultdict(list), {}
        for info in members.control:
            found = [(s, members.about(info, s.about)) for s in _stated(archive, info)]
            for statement, about in found:
                if about:
                    said[about].append((info.filename, statement))
            notes[info.filename] = _note([(s.about, about) for s, about in found])
        return cls(archive, said, notes)

    def check(self, info: zipfile.ZipInfo, found: Found) -> dict[str, Any]:
        """See that a member is what was stated of it; return what is counted.

        Raises:
            PermanentError: one of ``agreement.CODES``.
        """
        facts: dict[str, Any] = {}
        for by, statement in self.said.get(info, ()):
            facts = less_sure(facts, check(statement, by, found, lambda: cast("BinaryIO", self.archive.open(info))))
        return facts


def same_count(known: dict[str, Any], found: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what the counts of all members so far may count: the same of each, else one has lost a record.

    Raises:
        PermanentError: ``control_count``.
    """
    if not (known and found):
        return known or found
    if both := [reading for reading in known[COUNTS] if reading in found[COUNTS]]:
        return {**known, COUNTS: both}
    raise PermanentError(
        "control_count",
        f"{name}: its control file {found['control_file']} is right if it counts {found[COUNTS][0]}; "
        f"{known['control_file']} is right if it counts {known[COUNTS][0]}: a record is missing in one of the files. "
        "Send both again",
        control_file=found["control_file"],
    )


def _stated(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[Stated, ...]:
    with archive.open(info) as stream:
        return stated(name_in(info), stream.read(HEAD))


def _note(found: list[tuple[str, zipfile.ZipInfo | None]]) -> str:
    absent = [about for about, info in found if info is None]
    if absent:
        return f"speaks of {', '.join(absent[:3])}, which is not in the archive"
    return "compared" if found else "states nothing"
