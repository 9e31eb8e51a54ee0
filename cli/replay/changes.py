"""What differs between the live tables and those of a sandbox, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stockflow.services import Services

EXAMPLES = 3
_ROUNDING = 1e-9  # sums of floating-point numbers depend on their order
_NUMBERS = {"INT64", "NUMERIC", "BIGNUMERIC", "FLOAT64"}


@dataclass(frozen=True)
class Change:
    """How one table differs. ``columns`` is column -> how many rows differ there; ``dates`` are business dates.

    ``delta`` is the sum of (new - old) of ``measure``; ``examples`` are rows with ``key``, ``was``, ``now``.
    """

    table: str
    key: tuple[str, ...]
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)
    measure: str | None = None
    delta: float | None = None
    dates: tuple[str, ...] = ()
    examples: list[dict[str, Any]] = field(default_factory=list)
    why: str = ""
    replaced: bool = False

    @property
    def total(self) -> int:
        """How many rows or cells differ."""
        return self.added + self.removed + self.changed


@dataclass(frozen=True)
class Compared:
    """Two tables that should hold the same."""

    table: str  # layer.name
    key: tuple[str, ...]
    date: str | None
    measure: str | None


def compare(what: Compared, live: Services, sandbox: Services) -> Change | None:
    """Return how a table differs, or None when it holds the same rows."""
    layer, name = what.table.split(".")
    was, now = _columns(live, layer, name), _columns(sandbox, layer, name)
    if was is None or now is None or was != now:
        return _replaced(what, live, sandbox, was is not None, now is not None)
    names = [c for c in now if c not in what.key and not c.startswith("_")]
    sql = _sides(what, [*what.key, *names], live, sandbox)
    row = live.warehouse.query(_summary(what, names, now, sql))[0]
    if not row["added"] + row["removed"] + row["changed"]:
        return None
    columns = {c: row[f"d_{i}"] for i, c in enumerate(names) if row[f"d_{i}"]}
    return Change(
        what.table, what.key, row["added"], row["removed"], row["changed"], columns, what.measure,
        None if what.measure is None else float(row["delta"] or 0), _dates(what, row),
        _examples(list(columns) or names[:2], names, now, sql, live),
    )  # fmt: skip


def _replaced(what: Compared, live: Services, sandbox: Services, was: bool, now: bool) -> Change | None:
    """A table that is new, gone or has other columns is compared as a whole."""
    layer, name = what.table.split(".")

    def count(services: Services) -> int:
        return int(services.warehouse.query(f"SELECT COUNT(*) AS n FROM inventory_{layer}.{name}")[0]["n"])

    removed, added = count(live) if was else 0, count(sandbox) if now else 0
    return Change(what.table, what.key, added, removed, why="its columns are other ones", replaced=True)


def _columns(services: Services, layer: str, name: str) -> dict[str, str] | None:
    sql = (
        f"SELECT column_name, data_type FROM inventory_{layer}.INFORMATION_SCHEMA.COLUMNS "
        f"WHERE table_name = '{name}' ORDER BY ordinal_position"
    )
    found = {r["column_name"]: r["data_type"] for r in services.warehouse.query(sql)}
    return found or None


def _sides(what: Compared, columns: Iterable[str], live: Services, sandbox: Services) -> str:
    """Both sides next to each other, joined by the key as one text."""
    key = f"TO_JSON_STRING(STRUCT({', '.join(f'`{k}` AS `{k}`' for k in what.key)}))"
    listed = ", ".join(f"`{c}`" for c in columns)
    layer, name = what.table.split(".")
    one, other = (
        f"(SELECT {key} AS row_key, {listed} FROM {services.settings.table(layer, name)} AS t)"
        for services in (live, sandbox)
    )
    return f"{one} AS was FULL OUTER JOIN {other} AS now ON was.row_key = now.row_key"


def _differs(column: str, kind: str) -> str:
    different = f"was.`{column}` IS DISTINCT FROM now.`{column}`"
    if kind != "FLOAT64":
        return different
    near = f"ABS(was.`{column}` - now.`{column}`) <= {_ROUNDING} * GREATEST(1, ABS(was.`{column}`))"
    return f"({different} AND NOT COALESCE({near}, FALSE))"


def _any_differs(names: Iterable[str], types: Mapping[str, str]) -> str:
    return " OR ".join(_differs(c, types[c]) for c in names) or "FALSE"


def _summary(what: Compared, names: list[str], types: Mapping[str, str], sides: str) -> str:
    both = "was.row_key IS NOT NULL AND now.row_key IS NOT NULL"
    changed = f"({both} AND ({_any_differs(names, types)}))"
    columns = ["COUNTIF(was.row_key IS NULL) AS added", "COUNTIF(now.row_key IS NULL) AS removed"]
    columns += [f"COUNTIF({changed}) AS changed"]
    columns += [f"COUNTIF({both} AND {_differs(c, types[c])}) AS d_{i}" for i, c in enumerate(names)]
    touched = f"was.row_key IS NULL OR now.row_key IS NULL OR {changed}"
    if what.measure is not None and types.get(what.measure) in _NUMBERS:
        new, old = (f"COALESCE(CAST({s}.`{what.measure}` AS FLOAT64), 0)" for s in ("now", "was"))
        columns.append(f"SUM(IF({touched}, {new} - {old}, 0)) AS delta")
    else:
        columns.append("CAST(NULL AS FLOAT64) AS delta")
    if what.date:
        day = f"CAST(COALESCE(now.`{what.date}`, was.`{what.date}`) AS STRING)"
        columns.append(f"STRING_AGG(DISTINCT IF({touched}, {day}, NULL), ',') AS dates")
    return f"SELECT {', '.join(columns)} FROM {sides}"


def _dates(what: Compared, row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted((row["dates"] or "").split(","))) if what.date and row["dates"] else ()


def _examples(
    shown: list[str], names: list[str], types: Mapping[str, str], sides: str, live: Services
) -> list[dict[str, Any]]:
    touched = f"was.row_key IS NULL OR now.row_key IS NULL OR {_any_differs(names, types)}"
    columns = ["COALESCE(now.row_key, was.row_key) AS row_key", "was.row_key IS NULL AS is_new"]
    columns += ["now.row_key IS NULL AS is_gone"]
    columns += [f"CAST({s}.`{c}` AS STRING) AS {s}_{i}" for i, c in enumerate(shown) for s in ("was", "now")]
    sql = f"SELECT {', '.join(columns)} FROM {sides} WHERE {touched} ORDER BY row_key DESC LIMIT {EXAMPLES}"
    return [
        {
            "key": row["row_key"],
            "was": None if row["is_new"] else {c: row[f"was_{i}"] for i, c in enumerate(shown)},
            "now": None if row["is_gone"] else {c: row[f"now_{i}"] for i, c in enumerate(shown)},
        }
        for row in live.warehouse.query(sql)
    ]
