"""Dimensions that models join: whether one changed under a drain, and which loads its change sends to work again."""

import re
from collections.abc import Mapping
from dataclasses import fields

from functions.transform.files import dependents, dependents_step, indent, model, template
from functions.transform.identities import record_id
from stockflow.ledger import StageRecord

# dimension -> what a model joins of it, and the table whose rows that is made of
_DIMENSIONS = {
    "products": ("inventory_curated.products_by_day", "inventory_curated.products_history"),
    "exchange_rates": ("inventory_curated.daily_rates", "inventory_curated.exchange_rates"),
}


def pieces(feed: str, raw_days: Mapping[str, int]) -> dict[str, str]:
    """Return what the drain's script of a feed says of dimensions; ``raw_days``: feed -> days, where raw ends."""
    readers = _readers(feed)
    others = " + ".join(f"(SELECT MAX(turn) FROM inventory_curated.turn_{other})" for other in readers)
    return {
        "turns": "\n".join(_turn(name) for name in (feed, *readers)),
        "dimensions_seen": _seen(reads(feed)),
        "others_seen": f"SELECT {others or '0'}",
        "seen_before": _step(feed, "before"),
        "seen_after": _step(feed, "after"),
        "mark": _mark(feed, raw_days),
        "mark_again": _again(feed, others, raw_days),
        "mark_overtaken": _overtaken(reads(feed)),
        "requeued": _REQUEUED if readers else "CAST(NULL AS STRING)",
    }


def reads(feed: str) -> list[str]:
    """Return the dimensions that a model joins."""
    text = model(feed)
    return [name for name, (joined, _) in _DIMENSIONS.items() if re.search(rf"\b{joined}\b", text)]


def has_dependents(feed: str) -> bool:
    """Return whether a change of this feed changes what loads of other feeds say."""
    return dependents(feed) is not None


def looks_behind_commit(feed: str) -> bool:
    """Return whether a drain's script looks, behind its COMMIT, at what was committed beside it."""
    return has_dependents(feed) or bool(reads(feed))


def has_days(feed: str) -> bool:
    """Return whether models and KPIs read what a dimension without dates says of each day."""
    return dependents_step(feed, "after") is not None


def _readers(feed: str) -> list[str]:
    """The feeds whose loads a change of this feed may change."""
    return sorted(set(re.findall(r"inventory_curated\.(\w+)_history", dependents(feed) or "")) - {feed})


def _turn(feed: str) -> str:
    return f"CREATE TABLE IF NOT EXISTS inventory_curated.turn_{feed} AS SELECT 0 AS turn;"


def _seen(names: list[str]) -> str:
    """What tells one state of the dimensions from another: when a row was last written, and how many there are."""
    if not names:
        return "SELECT ''"
    states = [
        f"(SELECT CONCAT(COALESCE(CAST(MAX(_updated_at) AS STRING), ''), ' ', CAST(COUNT(*) AS STRING)) FROM {table})"
        for table in (_DIMENSIONS[name][1] for name in names)
    ]
    return f"SELECT CONCAT({', '.join(states)})"


_REQUEUED = """(
    SELECT STRING_AGG(CONCAT(feed, ' ', CAST(landed_on AS STRING), ' ', load_id), ',')
    FROM (SELECT feed, landed_on, MIN(load_id) AS load_id FROM requeued GROUP BY feed, landed_on)
  )"""


def _mark(feed: str, raw_days: Mapping[str, int]) -> str:
    affected = dependents(feed)
    if affected is None:
        return ""
    requeued = "\nCREATE TEMP TABLE requeued (load_id STRING, feed STRING, landed_on DATE);\n"
    unsettled = template("unsettled.sql").replace("<<readers>>", ", ".join(f"'{name}'" for name in _readers(feed)))
    return requeued + "\n" + _marking(feed, affected, raw_days, f"{unsettled}\n")


def _step(feed: str, step: str) -> str:
    statement = dependents_step(feed, step)
    return f"\n{statement}\n" if statement else ""


def _what_changed(feed: str) -> str:
    """What must hold a row for other feeds to be looked for: of most dimensions, a current row that changed."""
    return "SELECT 1 FROM repacked" if has_days(feed) else "SELECT 1 FROM changes WHERE _content_changed"


def _marking(feed: str, affected: str, raw_days: Mapping[str, int], unsettled: str = "") -> str:
    text = template("mark.sql").replace("<<affected>>", indent(affected, 4)).replace("<<unsettled>>", unsettled)
    text = text.replace("<<what_changed>>", _what_changed(feed))
    text = text.replace("<<raw_is_kept>>", _raw_is_kept(raw_days))
    said = {
        "reason_code": f"'{feed}_changed'",
        "message": f"'a later file of {feed} changes what this load says'",
    }
    return _with_columns(text, said)


def _raw_is_kept(raw_days: Mapping[str, int]) -> str:
    """What keeps loads out whose raw rows have ended: transformed again, they would lose their rows in curated."""
    limits = (
        f"\n    AND (feed != '{feed}' OR landed_on > DATE_SUB(CURRENT_DATE(), INTERVAL {days} DAY))"
        for feed, days in sorted(raw_days.items())
    )
    return "".join(limits)


def _with_columns(text: str, said: Mapping[str, str]) -> str:
    """Fill in the columns of the record that makes ``latest``, a transformed load, pending again."""
    names = [f.name for f in fields(StageRecord)]
    columns = ["record_id", "landed_on", *names]
    changed = {
        "record_id": record_id("latest.load_id", "latest.stage_version", "pending", "latest.marked_at"),
        "state": "'pending'",
        "input_record": "CAST(NULL AS STRING)",
        "detail": "CAST(NULL AS STRING)",  # the next run reads in the ledger what the KPIs have not seen
        "finished_at": "latest.marked_at",
        **said,
    }
    text = text.replace("<<ledger_columns>>", ", ".join(f"`{c}`" for c in columns))
    return text.replace("<<marked_columns>>", ", ".join(changed.get(c, f"latest.`{c}`") for c in columns))


def _overtaken(names: list[str]) -> str:
    if not names:
        return "\nSET overtaken = FALSE;\n"
    said = {
        "reason_code": "'overtaken'",
        "message": f"'{' or '.join(names)} changed while this load was transformed'",
    }
    return "\n" + _with_columns(template("overtaken.sql"), said)


def _again(feed: str, others: str, raw_days: Mapping[str, int]) -> str:
    """A load of another feed that was transformed meanwhile did not see this change, nor was it seen."""
    affected = dependents(feed)
    if affected is None:
        return ""
    marking = indent(_marking(feed, affected, raw_days).strip(), 2)
    return f"\nIF {others} != (SELECT MAX(others_seen) FROM batch) THEN\n{marking}\nEND IF;\n"
