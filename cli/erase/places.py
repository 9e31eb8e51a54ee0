"""Where personal data can be kept, and the statements that find and overwrite it there. Pure.

Rows stay and values go: what is overwritten holds ``MARK``. So each load still has as many rows as the ledger says, and
the rows of curated are still what the models make of raw.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stockflow.contracts import Contract

MARK = "[erased]"
SHORTEST = 4  # letters and digits of a key: fewer would be found in other people's words
_KEPT = r"\pL\pN@._+-"  # what tells two keys apart; blanks, brackets and slashes do not
_ALIKE = "REGEXP_REPLACE(LOWER(NORMALIZE({column}, NFC)), r'[^\\pL\\pN@._+-]', '') = @person"
_COUNT = "SELECT COUNT(*) AS `rows` FROM {table} AS kept WHERE {days}({where})"
_LOADS = "SELECT DISTINCT {load} AS load_id FROM {table} AS kept WHERE {days}({where})"
_ERASE = "UPDATE {table} AS kept SET {changes} WHERE {days}({where})"


@dataclass(frozen=True)
class Place:
    """A table, which of its rows are a person's, and what each column of those rows becomes.

    ``where`` and ``changes`` name ``@person`` (a value as ``plain`` leaves it) or ``@pattern`` (it, within a text).
    """

    table: str
    where: str
    changes: Mapping[str, str]
    load: str | None = None
    day: str | None = None

    @property
    def columns(self) -> list[str]:
        """The columns that are overwritten."""
        return sorted(self.changes)

    def count(self) -> str:
        """Return the query for how many rows there are."""
        return _COUNT.format(table=self.table, days=self._days, where=self.where)

    def loads(self) -> str:
        """Return the query for the loads that brought them."""
        return _LOADS.format(table=self.table, days=self._days, where=self.where, load=self.load)

    def erase(self) -> str:
        """Return the statement that overwrites them."""
        changes = ", ".join(f"{column} = {value}" for column, value in self.changes.items())
        return _ERASE.format(table=self.table, changes=changes, days=self._days, where=self.where)

    @property
    def _days(self) -> str:
        return f"kept.{self.day} >= DATE '2000-01-01' AND " if self.day else ""


def plain(key: str) -> str:
    """Return a name, an address or a number without what does not tell it from another one."""
    return re.sub(r"[^\w@.+-]", "", unicodedata.normalize("NFC", key).lower())


def pattern(person: str) -> str:
    """Return the expression (RE2) that finds a plain key within a text: as a word of its own, however it is spaced.

    The name of a field in JSON (followed by ``":``) is not a person.
    """
    between = f"[^{_KEPT}]*"
    after = r'($|"$|[^\pL\pN"]|"[^:])'
    return rf"(?i)(^|[^\pL\pN])({between.join(map(re.escape, person))}){after}"


def places(contracts: Mapping[str, Contract]) -> list[Place]:
    """Return every table that may hold a person: feeds with columns tagged ``pii``, and texts that the ledger keeps."""
    found = [place for contract in contracts.values() for place in _of_feed(contract)]
    return [*found, *_of_ledger()]


def _of_feed(contract: Contract) -> Iterable[Place]:
    personal = personal_columns(contract)
    if not personal:
        return
    same = " OR ".join(_ALIKE.format(column=f"kept.{column}") for column in personal)
    marked = {column: f"IF(kept.{column} IS NULL, NULL, '{MARK}')" for column in personal}
    extra = {"_extra": "IF(REGEXP_CONTAINS(kept._extra, @pattern), '{}', kept._extra)"}
    raw = f"inventory_raw.{contract.feed}"
    yield Place(raw, f"{same} OR {_holds('_extra')}", marked | extra, "_load_id", "_landed_on")
    for ending in ("", "_history"):
        yield Place(f"inventory_curated.{contract.feed}{ending}", same, marked, "_load_id")


def _of_ledger() -> Iterable[Place]:
    """Texts as they came, of any feed: a line that could not be read may name somebody."""
    rejected = ("found", "original_text", "message")
    yield Place("inventory_ops.reject_rows", _any(rejected), _whole(rejected), "load_id", "landed_on")
    refused = ("value", "original_row", "message")
    changes = _whole(("value", "message")) | {"original_row": f"IF({_any(refused)}, '{{}}', kept.original_row)"}
    yield Place("inventory_ops.quarantine_rows", _any(refused), changes, "load_id", "landed_on")
    for table, columns in {"load_stages": ("message", "detail"), "stage_attempts": ("message",)}.items():
        cut = {c: f"REGEXP_REPLACE(kept.{c}, @pattern, r'\\1{MARK}\\3')" for c in columns}
        yield Place(f"inventory_ops.{table}", _any(columns), cut, None, "landed_on")


def personal_columns(contract: Contract) -> list[str]:
    """Return the columns of a feed that the contract tags as personal data."""
    return [c.name for c in contract.stated if c.pii]


def _any(columns: Iterable[str]) -> str:
    return " OR ".join(map(_holds, columns))


def _holds(column: str) -> str:
    return f"REGEXP_CONTAINS(COALESCE(kept.{column}, ''), @pattern)"


def _whole(columns: Iterable[str]) -> dict[str, str]:
    return {c: f"IF({_holds(c)}, '{MARK}', kept.{c})" for c in columns}
