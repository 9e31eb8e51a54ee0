"""The line at the end of a file that says how many records it has, and whether that is so."""

import re
from dataclasses import dataclass, field
from typing import Any

from functions.ingest.readers.model import Chunk, Reject
from stockflow.errors import PermanentError

_RECORDS = r"(?:records?|rows?|lines?|lignes?|enregistrements?|zeilen|registros?|filas|righe|lineas)"
_TEXTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\W*(?:trailer|trl|tlr|footer|ftr|eof|end|t|z|fin)(?:\W+(?:of|de|file|fichier))*\W+(\d{1,12})\W*",
        rf"\W*(?:(?:total|number|nombre|nb|count|anzahl)\W*(?:of|de|der)?\W*)?{_RECORDS}\W*(?:count)?\W+(\d{{1,12}})\W*",
        rf"\W*(\d{{1,12}})\s+{_RECORDS}\b(?:\W*(?:in set|affected|selected|returned|exported|exportées?))?\W*",
    )
)
_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
# what clients of databases write: they count rows, and nothing else
_ROWS_ALONE = re.compile(r"(?i)\W*\(\d+ rows?\)\W*|\W*\d+ rows? (?:in set|affected|selected|returned)\b.*")
RECORDS, WITH_HEADER, LINES = "records", "records and header", "lines"
NOT_COUNTED = {"trailer_row", "totals_row", "repeated_header"}


def stated_count(text: str) -> int | None:
    """Return how many records a line says the file has; None when it says nothing of the kind."""
    found = next((m for p in _TEXTS if (m := p.fullmatch(text[:200].strip()))), None)
    return int(found[1]) if found and not _DATE.fullmatch(found[1]) else None


@dataclass
class Trailer:
    """Counts a file's records as they are read, and holds them against its last line."""

    name: str
    _records: int = 0
    _last: int = 0  # line of the last record
    _rejects: list[Reject] = field(default_factory=list)

    def see(self, chunk: Chunk) -> None:
        """Count what was read."""
        counted = [r.line for r in chunk.rejects if r.code not in NOT_COUNTED]
        self._rejects += [r for r in chunk.rejects if r.code == "trailer_row"][-1:]
        if chunk.batch is not None:
            self._records += len(chunk.batch)
            counted.append(chunk.batch.column(0)[-1].as_py())
            self._records -= 1
        self._records += len(counted)
        self._last = max(counted, default=self._last)

    def and_then(self, following: "Trailer") -> "Trailer":
        """Return what was counted in this part of a file and in the one behind it."""
        rejects = [*self._rejects, *following._rejects]
        return Trailer(self.name, self._records + following._records, following._last or self._last, rejects)

    def checked(self) -> dict[str, Any]:
        """Return what the trailer says, as facts.

        Raises:
            PermanentError: ``trailer_count`` when the file holds another number of records.
        """
        trailer = self._rejects[-1] if self._rejects else None
        if trailer is None or trailer.line < self._last:
            return {}
        stated = int(trailer.found)
        meant = _reading(trailer.original_text, stated - self._records)
        if meant is None:
            raise PermanentError(
                "trailer_count",
                f"{self.name}: its last line ({trailer.original_text!r}) says {stated:,} records, the file holds "
                f"{self._records:,}: it was cut or joined on its way; send it again",
                stated=stated,
                found=self._records,
            )
        return {"trailer_count": stated, "trailer_counts": meant}


def _reading(text: str, more: int) -> str | None:
    """Return what a trailer counts that says so many more than there are records; None when nothing explains it."""
    readings = {0: RECORDS} if _ROWS_ALONE.fullmatch(text) else {0: RECORDS, 1: WITH_HEADER, 2: LINES}
    return readings.get(more)


def same_reading(known: str | None, found: str, name: str) -> None:
    """See that a file's trailer counts what the one before it counted: else one of them has lost a record.

    Raises:
        PermanentError: ``trailer_count``.
    """
    if known not in (None, found):
        raise PermanentError(
            "trailer_count",
            f"{name}: its last line counts right if it counts {found}; that of another file in the archive counts "
            f"{known}: a record is missing in one of them. Send both again",
        )
