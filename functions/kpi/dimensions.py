"""From which day on a definition may say something else because a dimension does."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from functions.kpi.by_day import BY_DAY, joined_by_day
from functions.kpi.definition import Definition
from functions.kpi.graph import column_reads
from functions.kpi.keyed import first_fact, joined_by_key, key_of
from functions.kpi.moved import touched_columns, touched_keys
from stockflow.ledger import StageRecord
from stockflow.services import Services

Views = Mapping[str, str]


@dataclass(frozen=True)
class Keys:
    """Keys of a dimension that came or went: their column (None: others have it, too), and their first fact's day."""

    column: str | None
    first_fact: date | None = None


@dataclass(frozen=True)
class DimensionChanges:
    """``columns``: dimension, or its view by day -> column -> the first day of which it says something else.

    ``keys``: dimension -> its keys that came or went.
    """

    columns: Mapping[str, Mapping[str, date]]
    keys: Mapping[str, Keys]

    def first_day(self, definition: Definition, inputs: Iterable[str], views: Views) -> date | None:
        """Return the first day of which a definition that reads these tables may say something else; None: of none."""
        found: list[date] = []
        if self.columns.keys() & set(inputs):
            found += self._of_columns(definition, views)
        for dimension in self.keys.keys() & set(inputs):
            found += self._of_keys(definition, dimension, views)
        return min(found, default=None)

    def _of_columns(self, definition: Definition, views: Views) -> Iterator[date]:
        by_day = {view for view in BY_DAY.values() if joined_by_day(definition, view)}
        read = column_reads(definition, {name: sql for name, sql in views.items() if name not in by_day})
        for table, columns in self.columns.items():
            names = read.get(table, frozenset())
            yield from (first for column, first in columns.items() if names is None or column in names)

    def _of_keys(self, definition: Definition, dimension: str, views: Views) -> Iterator[date]:
        keys = self.keys[dimension]
        if keys.column is None or not joined_by_key(definition, dimension, keys.column, views):
            yield date.min
        elif keys.first_fact is not None:
            yield keys.first_fact


def changes(work: Iterable[StageRecord], services: Services) -> DimensionChanges:
    """Return what these loads changed in dimensions; it asks the facts for keys that came or went."""
    records = list(work)
    return DimensionChanges(
        touched_columns(records), {name: _keys(name, keys, services) for name, keys in touched_keys(records).items()}
    )


def _keys(dimension: str, keys: set[str], services: Services) -> Keys:
    column = key_of(dimension, services.contracts)
    return Keys(column, first_fact(dimension, keys, services) if column else None)
