"""The first pass over a load: what must be known of all its rows before one of them is judged. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc

from functions.validate.frame import Clues, conventions
from functions.validate.suite import UNIQUE
from functions.validate.texts import Mask, Texts
from stockflow import values
from stockflow.contracts import Contract, Rule
from stockflow.identity import digest
from stockflow.values import Formats

MOST_TEXTS = 50_000  # distinct texts of a column that are kept; later ones only when they prove a convention
FEW = 3  # dates with the year first, of a batch: more prove nothing more
MOST_CODES = 1_000
LOCATION = "location_code"
NUMBERS, DATES = ("number", "integer"), ("date", "timestamp")
_CODE = r"^[0-9A-Z]*[1-9][0-9A-Z]*(?:[-_./][0-9A-Z]+)*$"  # reads as it stands
_ISO = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}"  # proves nothing about the order of day and month

Keys = npt.NDArray[np.uint64]


@dataclass
class Survey:
    """What all rows of a load say together."""

    contract: Contract
    clues: Clues = field(default_factory=Clues)
    rows: int = 0
    filled: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    _texts: dict[str, set[str]] = field(default_factory=dict)
    _keys: dict[str, list[Keys]] = field(default_factory=dict)

    @classmethod
    def of(cls, contract: Contract, batches: Iterable[pa.RecordBatch], clues: Clues | None = None) -> "Survey":
        """Return the survey of a load's rows."""
        survey = cls(contract, clues or Clues())
        for batch in batches:
            survey._add(batch)
        return survey

    @cached_property
    def formats(self) -> Formats:
        """How the load writes numbers and dates."""
        texts = {c.name: self._texts.get(c.name, set()) for c in self.contract.stated}
        return conventions(self.contract, texts, self.clues)

    @property
    def locations(self) -> frozenset[str]:
        """The cleaned codes of the locations; of very many the thousand whose hash is the smallest."""
        if len(self.codes) <= MOST_CODES:
            return frozenset(self.codes)
        return frozenset(sorted(self.codes, key=digest)[:MOST_CODES])

    def repeated(self) -> dict[str, Mask]:
        """Return, for each rule that asks for it, which rows have a key that another row has, too."""
        return {rule.id: _repeated(self._keys.get(rule.id, [])) for rule in unique_rules(self.contract)}

    def _add(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        for column in self.contract.stated:
            if column.logical_type in NUMBERS + DATES:
                self._sample(column.name, column.logical_type, batch.column(column.name))
        for name in _key_columns(self.contract) - self.filled:
            if any(map(values.to_text, pc.unique(batch.column(name).drop_null()).to_pylist())):
                self.filled.add(name)
        if LOCATION in batch.schema.names:
            codes = map(values.to_code, pc.unique(batch.column(LOCATION).drop_null()).to_pylist())
            self.codes |= {c for c in codes if c}
        for rule in unique_rules(self.contract):
            self._keys.setdefault(rule.id, []).append(_hashes(batch, rule.kwargs["column_list"], self.contract))

    def _sample(self, name: str, kind: str, column: pa.Array) -> None:
        """Keep the distinct texts of a column that may prove how it is written; of very many those that do."""
        kept = self._texts.setdefault(name, set())
        found = _telling(pc.unique(column.drop_null()), kind)
        if len(kept) + len(found) <= MOST_TEXTS:
            kept.update(found)
        elif len(kept) <= 2 * MOST_TEXTS:
            evidence = values.mark_evidence if kind in NUMBERS else values.order_evidence
            kept.update(t for t in found if evidence(t) not in (None, "?", "ymd"))


def _telling(found: pa.Array, kind: str) -> list[str]:
    """Return the texts with a mark; of dates those with the year last, and a few others."""
    if kind in NUMBERS:
        marked: list[str] = found.filter(pc.match_substring_regex(found, "[.,]")).to_pylist()
        return marked
    iso = pc.match_substring_regex(found, _ISO)
    telling: list[str] = [*found.filter(pc.invert(iso)).to_pylist(), *found.filter(iso).slice(0, FEW).to_pylist()]
    return telling


def unique_rules(contract: Contract) -> list[Rule]:
    """Return the rules that ask for keys which stand once in the file."""
    return [r for r in contract.rules if r.expectation == UNIQUE]


def _key_columns(contract: Contract) -> set[str]:
    return {c for r in contract.rules if r.expectation == "stockflow_columns_present" for c in r.kwargs["columns"]}


def _hashes(batch: pa.RecordBatch, columns: list[str], contract: Contract) -> Keys:
    """Return a hash of each row's key (cleaned, in capitals); 0 where a part that is required is missing."""
    whole = np.zeros(batch.num_rows, dtype=np.uint64)
    missing = np.zeros(batch.num_rows, dtype=bool)
    for name in columns:
        texts = Texts.of(batch.column(name))
        codes = texts.distinct.to_numpy(zero_copy_only=False).astype(object)
        for place, text in texts.where(~texts.matching(_CODE)):
            codes[place] = values.to_code(text) or ""
        part: Any = pd.util.hash_array(codes, categorize=False) if len(codes) else np.zeros(0, np.uint64)
        whole = whole * np.uint64(1_099_511_628_211) + texts.spread(part, 0)
        if contract.column(name).required:
            missing |= texts.spread(codes == "", True).astype(bool)
    return np.where(missing, np.uint64(0), np.maximum(whole, np.uint64(1)))


def _repeated(parts: list[Keys]) -> Mask:
    """Return which hashes stand there more than once (8 bytes a row, sorted in place)."""
    if not parts:
        return np.zeros(0, dtype=bool)
    keys = np.concatenate(parts)
    ordered = np.sort(keys)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    found: Mask = (keys != 0) & _among(keys, twice)
    return found


def _among(keys: Keys, wanted: Keys) -> Mask:
    if not len(wanted):
        return np.zeros(len(keys), dtype=bool)
    places = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    found: Mask = wanted[places] == keys
    return found
