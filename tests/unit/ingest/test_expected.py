"""Who is late, by the sender's own calendar and time zone."""

from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from functions.ingest.expected import expected, tell_expected
from stockflow.calendar import calendar_of
from stockflow.errors import PermanentError
from stockflow.senders import Sender, load_sender
from tests.support.local_warehouse import LocalServices, LocalWarehouse
from tests.support.logs import logged

WEEK = {"days": ["mon", "tue", "wed", "thu", "fri"], "by": "08:00"}


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    """A time of September 2026; the 28th is a Monday."""
    return datetime(2026, 9, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "zone", "now", "due"),
    [
        (WEEK, "Europe/Berlin", utc(29, 5, 59), (utc(27, 22), utc(28, 6))),  # 07:59 in Berlin: Monday's still
        (WEEK, "Europe/Berlin", utc(29, 6), (utc(28, 22), utc(29, 6))),
        (WEEK, "Asia/Tokyo", utc(27, 22, 59), (utc(24, 15), utc(24, 23))),  # Monday 07:59 there: Friday's
        (WEEK, "UTC", utc(27, 12), (utc(25, 0), utc(25, 8))),  # a Sunday
        (WEEK | {"except": [utc(28, 0).date()]}, "UTC", utc(28, 12), (utc(25, 0), utc(25, 8))),
        ({"days": ["mon"]}, "UTC", utc(28, 23), (utc(21, 0), utc(22, 0))),  # until the end of the day
        ({"days": "daily"}, "UTC", utc(28, 0), (utc(27, 0), utc(28, 0))),
        ({"days": "daily", "by": "12:00"}, "Europe/Berlin", datetime(2026, 10, 25, 11, tzinfo=UTC),
         (datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 11, tzinfo=UTC))),  # the day of 25 hours
        (WEEK | {"from": utc(29, 0).date()}, "UTC", utc(28, 12), None),  # not yet
        ([WEEK | {"from": utc(28, 0).date()}, {"days": ["sun"], "by": "09:00"}], "UTC", utc(28, 7),
         (utc(27, 0), utc(27, 9))),  # Monday's is not due yet: Sunday's by the calendar before
    ],
)  # fmt: skip
def test_the_last_day_that_is_due(said: Any, zone: str, now: datetime, due: tuple[datetime, datetime] | None) -> None:
    assert calendar_of(said).due(now, zone) == due


class World(LocalServices):
    """A ledger in this process, and profiles."""

    profiles: tuple[Sender, ...] = ()

    @cached_property
    def senders(self) -> tuple[Sender, ...]:
        return self.profiles


def profile(tmp_path: Path, text: str, name: str) -> Sender:
    path = tmp_path / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return load_sender(path)


def test_each_sender_is_late_by_its_own_calendar_until_a_file_of_it_can_be_read(tmp_path: Path) -> None:
    world = World(LocalWarehouse(ledger=True), utc(29, 10))
    said = "timeZone: Europe/Berlin\nfeeds: {sales: {expected: {days: daily, by: '08:00'}}}\n"
    names = ("came", "early", "refused", "yesterday", "never")
    world.profiles = tuple(profile(tmp_path, said, name) for name in names)
    for sender, state, landed in (
        ("came", "loaded", utc(29, 5)), ("early", "loaded", utc(28, 22, 30)), ("refused", "rejected", utc(29, 5)),
        ("yesterday", "loaded", utc(28, 21)), ("nobody", "loaded", utc(29, 5)),
    ):  # fmt: skip
        world.warehouse.record("load_stages", [
            {"record_id": sender, "load_id": sender, "feed": "sales", "object": f"sales/{sender}/x.csv",
             "stage": "ingest", "state": state, "landed_at": landed, "landed_on": landed.date(), "finished_at": landed}
        ])  # fmt: skip
    found = {e.sender: e.hours_late for e in expected(world)}
    assert found == {"came": 0, "early": 0, "refused": 4, "yesterday": 4, "never": 4}
    with logged() as lines:
        tell_expected(world)
    late = {line.labels["sender"] for line in lines if line.levelname == "WARNING"}
    assert late == {"refused", "yesterday", "never"}
    assert lines[0].json_fields == {"event": "freshness", "hours_late": 0.0}


def test_a_calendar_is_checked_and_decides_nothing_about_reading(tmp_path: Path) -> None:
    plain = profile(tmp_path, "feeds: {sales: {encoding: cp1252}}", "acme")
    timed = profile(tmp_path, "feeds: {sales: {encoding: cp1252, expected: {days: [mon]}}}", "acme")
    assert plain.fingerprint == timed.fingerprint and timed.declared("sales") == {"encoding": "cp1252"}
    for text, wrong in (
        ("expected: {days: daily}", "expected: say it of a feed"),
        ("feeds: {sales: {expected: {days: [monday]}}}", "feeds.sales.expected: found {'days': ['monday']}, expected"),
        ("feeds: {sales: {expected: {days: daily, by: 800}}}", "feeds.sales.expected"),
        ("feeds: {sales: {expected: {days: daily, until: x}}}", "feeds.sales.expected"),
    ):
        with pytest.raises(PermanentError, match="expected") as caught:
            profile(tmp_path, text, "acme")
        assert wrong in caught.value.message
