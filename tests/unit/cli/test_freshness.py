"""A feed is late against its own contract."""

from datetime import UTC, datetime, timedelta

from cli.freshness import LATE, NEVER, OK, UNSTATED, freshness

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
