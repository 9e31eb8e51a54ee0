"""Data freshness by hand: for each day the newest date that a feed had of a location."""

from tests.golden.kpis import Cells, Days

FEEDS = ("sales", "stock_snapshots", "stock_movements", "purchase_orders", "customer_orders")


def compute_freshness(shop: Days) -> dict[str, Cells]:
    """Return how many days each feed and location lies behind."""
    cells = Cells(("feed", "location_code"))
    for feed in FEEDS:
        rows = [r for r in shop.books.current[feed] if r["location_code"]]
        for place in {r["location_code"] for r in rows}:
            closed = shop.books.place.get(place, {}).get("closed_on")
            dates = {r["business_date"] for r in rows if r["location_code"] == place}
            for day in shop.calendar:
                newest = max((d for d in dates if d <= day), default=None)
                if newest is None or (day - newest).days > 60 or (closed and day >= closed):
                    continue
                behind = (day - newest).days
                known = float(behind) if behind <= 31 else None
                cells.add((day, feed, place), known, None if known is None else 1.0, known, last_date=newest,
                          reason_code="stale" if known is None else None,
                          coverage_pct=0.0 if known is None else 100.0)  # fmt: skip
    return {"data_freshness": cells}
