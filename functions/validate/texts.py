"""A column of text as its distinct values and where they stand, so that each text is understood once. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute as pc

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Texts:
    """The distinct texts of a column; ``codes`` says which stands in each row, -1 for none."""

    distinct: pa.Array
    codes: npt.NDArray[np.int32]

    @classmethod
    def of(cls, column: pa.Array) -> "Texts":
        """Return the texts of a column."""
        encoded = pc.dictionary_encode(column)
        codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        return cls(encoded.dictionary, codes.astype(np.int32, copy=False))

    def matching(self, pattern: str) -> Mask:
        """Return which distinct texts hold a pattern (RE2, ASCII)."""
        found: Mask = pc.match_substring_regex(self.distinct, pattern).to_numpy(zero_copy_only=False)
        return found

    def where(self, mask: Mask) -> Iterator[tuple[int, str]]:
        """Yield place and text of the distinct texts in a mask."""
        places = np.flatnonzero(mask)
        yield from zip(places.tolist(), self.distinct.take(pa.array(places)).to_pylist(), strict=True)

    def spread(self, values: npt.NDArray[Any], missing: Any) -> npt.NDArray[Any]:
        """Return, for each row, the value of its text, or ``missing``."""
        return np.append(values, np.array([missing], dtype=values.dtype))[self.codes]
