"""A feed is late against its own contract; loads are counted by how they ended."""

from datetime import UTC, datetime, timedelta
from typing import Any

from local.dashboard.health import LATE, NEVER, OK, UNSTATED, freshness, totals

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)


def row(feed, hours):
    return {"feed": feed, "landed_at": NOW - timedelta(hours=hours), "loads": 2, "rows": 10}


def test_a_contract_says_when_a_feed_is_late():
    feeds = {
        "sales": timedelta(hours=26),
        "products": timedelta(days=8),
        "counts": None,
        "orders": timedelta(days=1),
    }
    found = freshness(feeds, [row("sales", 30), row("products", 30), row("counts", 900)], NOW)
    assert [(f.feed, f.state) for f in found] == [
        ("sales", LATE),
        ("orders", NEVER),
        ("products", OK),
        ("counts", UNSTATED),
    ]


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
