"""The share of accepted rows by feed and day, added up by hand from the records of the ledger."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from functions.kpi.refresh import views_by_name
from tests.support.local_warehouse import LocalWarehouse

VIEW = views_by_name("inventory_reporting")["inventory_reporting.data_quality"]
FIRST = datetime(2026, 9, 1, 6, tzinfo=UTC)
FEEDS = ("sales", "stock_snapshots", "products")
Books = dict[tuple[date, str], list[int]]


def record(number: int, feed: str | None, day: int, stage: str, state: str, **counts: int | None) -> dict[str, Any]:
    """A record of the ledger; a later stage ends later."""
    landed = FIRST + timedelta(days=day)
    minutes = {"ingest": 1, "validate": 2, "transform": 3}[stage]
    return {
        "load_id": f"load{number}", "feed": feed, "object": f"{number}.csv", "landed_at": landed,
        "landed_on": landed.date(), "record_id": f"{number}{stage}", "run_id": f"{number}{stage}", "stage": stage,
        "state": state, "finished_at": landed + timedelta(minutes=minutes), **counts,
    }  # fmt: skip


ENDS = ("loaded", "loaded", "rejected", "unreadable", "held", "duplicate_content", "on its way", "validated")


def a_world(seed: int) -> tuple[list[dict[str, Any]], Books]:
    """Records of 60 files, and by feed and day: files loaded and rejected, delivered, accepted, unreadable, refused."""
    chance = random.Random(seed)
    records: list[dict[str, Any]] = []
    books: Books = defaultdict(lambda: [0] * 6)
    for number in range(60):
        feed, day, end = chance.choice(FEEDS), chance.randrange(4), chance.choice(ENDS)
        rows, rejects, broken, late = (chance.randint(*limits) for limits in ((8, 50), (0, 4), (0, 3), (0, 1)))
        records += a_file(number, feed, day, end, (rows, rejects, broken, late))
        amounts = {
            "loaded": (1, 0, rows + rejects, rows - broken - late, rejects, broken + late),
            "rejected": (0, 1, rows + rejects, 0, rejects, broken),
            "unreadable": (0, 1, 0, 0, 0, 0),
        }.get(end)
        if amounts:
            told = books[FIRST.date() + timedelta(days=day), feed]
            told[:] = [before + more for before, more in zip(told, amounts, strict=True)]
    return records, dict(books)


def a_file(number: int, feed: str, day: int, end: str, counts: tuple[int, int, int, int]) -> list[dict[str, Any]]:
    """The records of one file that ended so."""
    rows, rejects, broken, late = counts
    if end in ("unreadable", "duplicate_content"):
        return [record(number, feed, day, "ingest", "rejected" if end == "unreadable" else end)]
    found = [record(number, feed, day, "ingest", "loaded", lines=rows + rejects, rows=rows, rejects=rejects)]
    if end != "on its way":
        state = end if end in ("rejected", "held") else "validated"
        found.append(record(number, feed, day, "validate", state, quarantined=broken))
    if end == "loaded":
        found.append(record(number, feed, day, "transform", "transformed", quarantined=late))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_the_share_is_that_of_the_ledger_added_up_by_hand(seed: int) -> None:
    records, books = a_world(seed)
    made = LocalWarehouse(ledger=True)
    made.record("load_stages", records)
    found = {(r["landed_on"], r["feed"]): r for r in made.query(VIEW)}
    assert found.keys() == books.keys()
    names = ("files_loaded", "files_rejected", "rows_delivered", "rows_accepted", "rows_unreadable", "rows_quarantined")
    for key, told in books.items():
        assert [found[key][name] for name in names] == told, key
        assert found[key]["accepted_share"] == (pytest.approx(told[3] / told[2]) if told[2] else None)


def test_a_feed_of_which_nothing_could_be_read_has_no_share() -> None:
    made = LocalWarehouse(ledger=True)
    lost = [record(1, "sales", 0, "ingest", "rejected"), record(2, None, 0, "ingest", "rejected")]
    made.record("load_stages", lost)
    (row,) = made.query(VIEW)
    assert (row["files_rejected"], row["rows_delivered"], row["accepted_share"]) == (1, 0, None)
