"""Which file of a zip archive a row is of: its line counts within that file. Pure."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute as pc

from functions.validate.model import Judgement, Result


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

    def in_messages(self, refused: pa.Table) -> pa.Table:
        """Return verdicts (see ``refused.SCHEMA``) whose messages begin with the file."""
        if not self.names or not len(refused):
            return refused
        places = np.searchsorted(np.array(self.ends), refused["row"].to_numpy())
        names = pa.array(self.names).take(pa.array(places))
        said = pc.binary_join_element_wise(names, refused["message"].cast(pa.string()), ": ")
        return refused.set_column(refused.schema.get_field_index("message"), "message", said)

    def in_results(self, judgement: Judgement) -> None:
        """Put the file into what the results say of single rows."""
        for result in judgement.results if self.names else ():
            self._in_result(result)

    def _in_result(self, result: Result) -> None:
        if result.examples:
            result.observed += f" of {self.of_row(result.examples[0].row)}"
        result.examples = [replace(v, member=self.of_row(v.row)) for v in result.examples]
