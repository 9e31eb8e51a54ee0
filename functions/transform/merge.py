"""The SQL of one drain, built from a contract, a model and the templates beside this module."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from functions.transform import dimensions, moved_days
from functions.transform.content import restated
from functions.transform.files import indent, model, template
from functions.transform.identities import record_id
from stockflow.contracts import Column, Contract
from stockflow.identity import digest, stage_version
from stockflow.settings import bundle_root

_HERE = Path(__file__).resolve().parent
_META = ("_load_id", "_row", "_line", "_business_time", "_generation")
NEWEST_FIRST = "_business_time DESC, _generation DESC, _load_id DESC, _row DESC"
_LENIENT = {"stockflow_gtin_check_digit", "stockflow_gln_check_digit"}
_EXPECTED = {
    "integer": "a whole number",
    "number": "a number",
    "date": "a date",
    "timestamp": "a date and time",
    "string": "a known value",
}
_ROOM = "a number below 10 to the 29th, also in base units and in the base currency"


def version(contract: Contract) -> str:
    """Return the stage version: what decides the result of transforming this feed."""
    files = [*sorted(_HERE.glob("*.*")), *sorted(_HERE.glob("dependents/*.*"))]
    code = [p.read_text(encoding="utf-8") for p in files if p.suffix in {".py", ".sql"}]
    return stage_version(contract.fingerprint, model(contract.feed), digest(*code), _routines())


@cache
def _routines() -> str:
    """The hash of the functions that models call."""
    found = sorted((bundle_root() / "warehouse" / "routines").rglob("*.sql"))
    return digest(*(p.read_text(encoding="utf-8") for p in found))


def drain_script(contract: Contract, raw_days: Mapping[str, int] | None = None) -> str:
    """Return the script that takes ``@loads`` of a feed from raw to curated in one transaction.

    Parameters: ``@loads``, ``@records``, ``@replacing`` (arrays of text), ``@days``, ``@near`` (arrays of dates),
    ``@version``, ``@drain``, ``@started``. ``raw_days``: feed -> days, of feeds whose raw rows end.
    """
    feed, names = contract.feed, [c.name for c in contract.columns]
    rest = [n for n in names if n not in contract.key]
    pieces = {
        "feed": feed,
        "model": indent(_only_batch(feed), 2),
        "raw_columns": _list([f"raw.{n}" for n in ("_load_id", "_row", "_line", *(c.name for c in contract.stated))]),
        "refusals": "\n".join(_refusals(contract)),
        **_unvalued(feed),
        "original": ", ".join(f"raw.{c.name} AS {c.name}" for c in contract.stated),
        "keys": ", ".join(contract.key),
        "newest_first": NEWEST_FIRST,
        "columns": _list([*names, *_META]),
        "stated_now": _STATED_NOW,
        "history_columns": _list([f"history.{n}" for n in (*names, *_META)]),
        "touched_keys": ", ".join(f"touched.{k}" for k in contract.key),
        "winner_columns": _list([f"now.{n}" for n in (*rest, *_META)]),
        "was_columns": _list(["was._load_id AS _was_load_id", *(f"was.{n} AS _was_{n}" for n in names)]),
        "content_differs": _differs([n for n in rest if n != contract.business_time]),
        "any_differs": _differs(rest),
        **{f"touched_is_{t}": _same("touched", t, contract.key) for t in ("history", "now", "was")},
        "changes_is_kept": _same("changes", "kept", contract.key),
        "was_rows": _list([f"was.{n}" for n in (*names, *_META)]),
        **_dates(contract),
        **moved_days.pieces(contract),
        "restated": restated(contract),
        "record_id": record_id("batch.load_id", "@version", "transformed", "clock.finished_at"),
        **dimensions.pieces(feed, raw_days or {}),
    }
    return _fill(template("drain.sql"), pieces)


def _fill(text: str, pieces: dict[str, str]) -> str:
    for _ in range(2):  # a piece may name the feed itself
        text = re.sub(r"<<(\w+)>>", lambda found: pieces[found[1]], text)
    return text


def _only_batch(feed: str) -> str:
    """The model, made to read the rows of this drain only: temporary table ``accepted``."""
    source = f"inventory_raw.{feed}_accepted"
    text, count = re.subn(rf"\b{re.escape(source)}\b", "accepted", model(feed))
    if count != 1:
        raise ValueError(f"models/{feed}.sql must read {source} exactly once, it does so {count} times")
    return text.strip()


def _refusals(contract: Contract) -> list[str]:
    """A cell that says something and was typed as nothing refuses its row; so does a missing required one."""
    lenient = {r.column for r in contract.rules if r.expectation in _LENIENT and r.severity == "warning"}
    kept = {f"stated_{c.name}" for c in contract.stated} if keeps_unvalued(contract.feed) else set()
    amounts = {c.name.removeprefix("stated_") for c in contract.columns if c.name in kept}
    whens = [_unreadable(c, c.name in amounts) for c in contract.stated if c.name not in lenient]
    return whens + [_missing(c) for c in contract.stated if c.required or c.name in contract.key]


def keeps_unvalued(feed: str) -> bool:
    """Return whether rows of a feed are kept without their amounts when these have no exchange rate."""
    return bool(re.search(r"\bAS _unvalued\b", model(feed)))


def _unvalued(feed: str) -> dict[str, str]:
    """The table ``unvalued``: per load what its record says of rows without their amounts; nothing for other feeds."""
    if not keeps_unvalued(feed):
        return {"unvalued": "", "unvalued_said": "", "unvalued_join": ""}
    return {
        "unvalued": template("unvalued.sql"),
        "unvalued_said": " COALESCE(unvalued.said, ''),",
        "unvalued_join": "\nLEFT JOIN unvalued ON unvalued.load_id = batch.load_id",
    }


def _unreadable(column: Column, may_be_unvalued: bool) -> str:
    name, expected = column.name, _EXPECTED.get(column.logical_type, "a value")
    unread = f"    WHEN model.{name} IS NULL AND NOT inventory_curated.is_blank(raw.{name}, '{column.kind}')"
    if may_be_unvalued:  # read, and worth nothing known
        unread += f" AND (model._unvalued IS NULL OR model.stated_{name} IS NULL)"
    found = f"REPLACE(raw.{name}, '|', ' ')"
    whens = [f"{unread}\n      THEN CONCAT('unreadable|{name}|', {found}, '|{expected}')"]
    if column.logical_type == "number":
        # it is read, and too large: as an amount of base units, of the base currency, or for itself
        large = f"inventory_curated.is_number(raw.{name}, raw._decimal)"
        whens.insert(0, f"{unread} AND {large}\n      THEN CONCAT('out_of_range|{name}|', {found}, '|{_ROOM}')")
    return "\n".join(whens)


def _missing(column: Column) -> str:
    return f"    WHEN model.{column.name} IS NULL THEN 'missing|{column.name}||a value'"


def _dates(contract: Contract) -> dict[str, str]:
    """What keeps the merge to the partitions that it touches; a dimension has none, and its current rows are few."""
    day, rows = contract.business_date, ("history", "was", "kept")
    if not day:
        return {"declare_dates": "", "set_dates": "", **{f"{row}_in_dates": "" for row in rows}}
    own = day in contract.key
    return {
        "declare_dates": "DECLARE business_dates ARRAY<DATE>;\n" + ("" if own else "DECLARE clusters ARRAY<STRING>;\n"),
        "set_dates": f"{_BY_KEY.replace('<<day>>', day)}" if own else _looked_up(contract, day),
        **{f"{row}_in_dates": f"\n    AND {row}.{day} IN UNNEST(business_dates)" for row in rows},
    }


_STATED_NOW = """SELECT <<columns>>
  FROM typed
  LEFT JOIN generations ON generations.load_id = typed._load_id
  WHERE typed._issue IS NULL AND generations.replaced_by IS NULL"""

# The business dates of all statements of the touched keys: a script variable, since BigQuery prunes by constants only.
_BY_KEY = "\nSET business_dates = (SELECT ARRAY_AGG(DISTINCT <<day>>) FROM touched);\n"
# The same key may have had another date. Few columns are read for it, of the blocks that hold such documents.
_BY_LOOK_UP = """
SET clusters = (SELECT ARRAY_AGG(DISTINCT {cluster}) FROM touched);

SET business_dates = (
  SELECT ARRAY_AGG(DISTINCT {day})
  FROM (
    SELECT {day} FROM typed WHERE _issue IS NULL
    UNION ALL
    SELECT was.{day}
    FROM inventory_curated.<<feed>> AS was
    JOIN touched ON <<touched_is_was>>
    WHERE was.{cluster} IN UNNEST(clusters)
  )
);

IF restating THEN
  SET business_dates = (
    SELECT ARRAY_AGG(DISTINCT {day})
    FROM (
      SELECT {day} FROM UNNEST(business_dates) AS {day}
      UNION ALL
      SELECT history.{day}
      FROM inventory_curated.<<feed>>_history AS history
      JOIN touched ON <<touched_is_history>>
      WHERE history.{cluster} IN UNNEST(clusters)
    )
  );
END IF;
"""


def _looked_up(contract: Contract, day: str) -> str:
    cluster = contract.properties.get("clusterBy")
    if cluster not in contract.key:
        raise ValueError(f"{contract.feed}: the key has no date, so clusterBy must name the column to look it up by")
    return _BY_LOOK_UP.format(cluster=cluster, day=day)


def _same(left: str, right: str, columns: tuple[str, ...]) -> str:
    return " AND ".join(f"{left}.{c} = {right}.{c}" for c in columns)


def _differs(columns: list[str]) -> str:
    return "".join(f"\n  OR now.{c} IS DISTINCT FROM was.{c}" for c in columns)


def _list(names: list[str]) -> str:
    return ", ".join(names)
