"""What an assistant is told of files: how each ended and why lines were refused, never what stands in them."""

from typing import Any

from cli.loads import FIRST, find_loads, history, loads_named, pick, read_as
from cli.reconciliation import with_superseded
from stockflow.services import Services

_OF_LOAD = ("load_id", "feed", "object", "landed_at", "stage", "state", "end_state", "lines", "rows", "rejects",
            "quarantined", "superseded", "replaced_by", "reason_code", "message", "seconds")  # fmt: skip
_OF_STAGE = ("stage", "state", "rows", "rejects", "quarantined", "superseded", "reason_code", "message", "started_at",
             "finished_at", "stage_version")  # fmt: skip
_OF_LINE = ("line", "stage", "column_name", "rule", "code", "expected")


def list_loads(services: Services, feed: str = "", state: str = "", limit: int = 20) -> dict[str, Any]:
    """Return the newest loads, and how many there are of each end state."""
    found = find_loads(services, feed, state)
    counts: dict[str, int] = {}
    for load in found:
        counts[load["end_state"] or load["state"]] = counts.get(load["end_state"] or load["state"], 0) + 1
    newest = with_superseded(services, found[::-1][:limit])
    return {
        "loads": [_only(load, _OF_LOAD) for load in newest],
        "loads_left_out": max(0, len(found) - limit),
        "by_end_state": counts,
        "source": _source(services, ["inventory_ops.loads"]),
    }


def explain_load(services: Services, file: str) -> dict[str, Any]:
    """Return everything that happened to a file; of refused lines where they stand and why, not what they say.

    Raises:
        CommandError: no load has that name.
    """
    (load,) = with_superseded(services, [pick(loads_named(services, file), file)])
    story = history(services, load, FIRST)
    return {
        "load": _only(load, _OF_LOAD),
        "read_as": read_as(story["stages"]),
        "stages": [_only(stage, _OF_STAGE) for stage in story["stages"]],
        "unreadable_lines_by_code": story["rejects_by_code"],
        "refused_rows_by_rule": story["quarantine_by_rule"],
        "first_refused_lines": [_only(line, _OF_LINE) for line in (*story["rejects"], *story["quarantine"])],
        "warnings": story["warnings"],
        "values": f"`stockflow explain {load['load_id']}` shows what the lines say",
        "source": _source(services, ["inventory_ops.loads", "inventory_ops.load_stages_latest",
                                     "inventory_ops.rejects", "inventory_ops.quarantine"]),
    }  # fmt: skip


def _only(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in names if row.get(name) is not None}


def _source(services: Services, tables: list[str]) -> dict[str, Any]:
    return {"project": services.settings.project, "tables": tables, "as_of": services.clock()}
