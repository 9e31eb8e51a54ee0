"""Which file of a zip archive a row is of: its line counts within that file. Pure."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any


@dataclass(frozen=True)
class Members:
    """The files of an archive in the order of their rows; ``ends``: the number of the last row of each."""

    names: tuple[str, ...] = ()
    ends: tuple[int, ...] = ()

    @classmethod
    def of(cls, detail: Mapping[str, Any]) -> "Members":
        """Return those that ingest noted; none where all rows are of one file."""
        found: list[dict[str, Any]] = detail.get("members") or []
        if len(found) < 2:
            return cls()
        return cls(tuple(m["name"] for m in found), tuple(accumulate(m["rows"] for m in found)))

    def of_row(self, row: int) -> str:
        """Return the file of a row."""
        return self.names[bisect_left(self.ends, row)]

    def said(self, row: int, message: str) -> str:
        """Return a message about a row, beginning with its file."""
        if not self.names or row > self.ends[-1] or message.startswith(f"{self.of_row(row)}: "):
            return message
        return f"{self.of_row(row)}: {message}"
