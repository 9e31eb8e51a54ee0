"""Attempts that have no result yet: somebody is at work on these loads, or was interrupted."""

from typing import Any

from stockflow.services import Services

_OPEN = "SELECT load_id, object FROM inventory_ops.open_attempts WHERE stage = @stage ORDER BY load_id"


def open_attempts(stage: str, services: Services) -> list[dict[str, Any]]:
    """Return load_id and object of each load that a function is at work on in this stage."""
    return services.warehouse.query(_OPEN, {"stage": stage})
