"""Loads are counted by how they ended, however many there are."""

from local.dashboard import queries
from local.dashboard.health import totals
from tests.support.corner_shop import corner_shop


def test_loads_are_counted_by_end_state_and_their_lines_summed():
    """A file of nine lines, one of them refused, went through; another one could not be read."""
    found = totals(corner_shop().warehouse.query(queries.text("totals")))
    assert found.by_state == {"loaded": 1, "rejected": 1}
    assert (found.lines, found.rows, found.quarantined, found.waiting) == (9, 9, 1, 0)


def test_a_ledger_without_loads_counts_none():
    found = totals([])
    assert (found.by_state, found.lines, found.waiting) == ({}, 0, 0)
