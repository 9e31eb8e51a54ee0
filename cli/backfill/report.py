"""What a backfill says at its end."""

from collections.abc import Sequence
from typing import Any

from cli.backfill.order import Order, Position
from cli.backfill.steps import failed_days
from cli.replay.changes import Change


def report(order: Order, position: Position, changes: Sequence[Change] | None) -> dict[str, Any]:
    """Return the outcome as people and programs read it; ``changes`` is None when KPIs were not compared."""
    failed = failed_days(position)
    left = position.days[position.day :] if position.stopped else ()
    again = [order.command(day) for day in failed if day not in left]
    if left:
        again.append(order.command(left[0], left[-1]))
    return {
        "stage": order.stage,
        "loads": position.loads,
        "days": [{"day": d.isoformat(), **position.ended[d]} for d in sorted(position.ended)],
        "failed_days": [d.isoformat() for d in failed],
        "stopped": position.stopped,
        "kpi_cells_changed": None if changes is None else sum(c.total for c in changes),
        "kpis": [_change(c) for c in changes or ()],
        "run_again": again,
    }


def _change(change: Change) -> dict[str, Any]:
    dates = f"{change.dates[0]} to {change.dates[-1]}" if change.dates else ""
    return {"kpi": change.table.partition(".")[2], "added": change.added, "removed": change.removed,
            "changed": change.changed, "by": change.delta, "dates": dates}  # fmt: skip
