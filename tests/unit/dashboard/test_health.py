"""Loads are counted by how they ended."""

from typing import Any

from local.dashboard.health import totals


def test_loads_are_counted_by_end_state_and_their_lines_summed():
    loads: list[dict[str, Any]] = [
        {"end_state": "loaded", "state": "refreshed", "lines": 10, "rows": 9, "rejects": 1, "quarantined": 2},
        {"end_state": "loaded", "state": "validated", "lines": 5, "rows": 5, "rejects": 0, "quarantined": 0},
        {"end_state": "duplicate_content", "state": "duplicate_content", "lines": None, "rows": None,
         "rejects": None, "quarantined": None},
    ]  # fmt: skip
    found = totals(loads)
    assert found.by_state == {"loaded": 2, "duplicate_content": 1}
    assert (found.lines, found.rows, found.rejects, found.quarantined, found.waiting) == (15, 14, 1, 2, 1)
