"""A sender's calendar decides on which days sales of its locations are missing; the contract's those of the others."""

import shutil
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.sender import _declared, app
from functions.kpi.catalog import contracts_of, load_definitions
from functions.kpi.contract_params import with_values, without_calendars
from functions.kpi.definition import Definition
from stockflow.errors import PermanentError
from stockflow.senders import Sender, load_sender, with_calendars
from stockflow.settings import bundle_root
from tests.support.local_warehouse import LocalServices, LocalWarehouse

MONDAY = date(2026, 9, 28)
DAYS = [MONDAY - timedelta(days=27 - n) for n in range(28)]  # from Tuesday, 1 September
WEEKDAYS = "feeds: {sales: {expected: {days: [mon, tue, wed, thu, fri], except: [2026-09-10]}}}\n"
OFF = date(2026, 9, 10)


class World(LocalServices):
    """A warehouse in this process, and profiles."""

    def __init__(self, *profiles: Sender) -> None:
        super().__init__(LocalWarehouse(), datetime(2026, 9, 29, tzinfo=UTC))
        self._profiles = profiles

    @cached_property
    def senders(self) -> tuple[Sender, ...]:
        return self._profiles


def profile(tmp_path: Path, text: str, name: str = "acme") -> Sender:
    path = tmp_path / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return load_sender(path)


def put_sales(world: World, location: str, lines: int, days: list[date]) -> None:
    world.warehouse.put("sales", [
        {"receipt_number": f"{day}/{n}", "line_number": 1, "business_date": day, "sku": "A", "location_code": location,
         "quantity": Decimal(1), "net_amount": Decimal(5)} for day in days for n in range(lines)
    ])  # fmt: skip


def put_stock(world: World, location: str, on_hand: int) -> None:
    stock = {"sku": "A", "location_code": location, "on_hand": Decimal(on_hand)}
    world.warehouse.put("stock_snapshots", [{**stock, "business_date": day} for day in DAYS])


def missing(world: World) -> set[tuple[str, date]]:
    world.warehouse.compute(["missing_sales"], world)
    rows = world.warehouse.rows("SELECT location_code, business_date FROM inventory_kpi.missing_sales")
    assert len(rows) == len({tuple(row.values()) for row in rows}), "a day is there twice"
    return {(row["location_code"], row["business_date"]) for row in rows}


def test_each_location_has_the_calendar_of_its_sender_and_others_the_contracts(tmp_path: Path) -> None:
    lost = set(DAYS[-7:-1])
    sold = [day for day in DAYS if day not in lost]
    own = [day for day in DAYS if day.weekday() < 5 and day != OFF]
    world = World(profile(tmp_path, "locations: [quiet, BUSY, NEVER, NEW, GONE]\n" + WEEKDAYS))
    for location, lines, days in (("QUIET", 1, own[:-3]), ("BUSY", 9, sold), ("OTHER", 9, sold), ("SMALL", 2, sold)):
        put_sales(world, location, lines, days)
    put_stock(world, "OTHER", 1)
    world.warehouse.put("locations", [
        {"location_code": "NEW", "opened_on": DAYS[-3]}, {"location_code": "GONE", "closed_on": DAYS[2]}
    ])  # fmt: skip
    by_hand = {("QUIET", day) for day in own[-3:]}  # sells a line a day, and is expected
    by_hand |= {("BUSY", day) for day in lost & set(own)}  # not expected at weekends, however much it sells
    by_hand |= {("NEVER", day) for day in own}  # not one file of it came
    by_hand |= {("NEW", day) for day in own if day >= DAYS[-3]} | {("GONE", day) for day in own if day < DAYS[2]}
    by_hand |= {("OTHER", day) for day in lost}  # the contract's: every day of the week, where enough is sold
    assert missing(world) == by_hand


def test_a_location_of_two_senders_is_expected_when_one_of_them_expects(tmp_path: Path) -> None:
    one = profile(tmp_path, "locations: [P1]\nfeeds: {sales: {expected: {days: [mon]}}}", "one")
    two = profile(
        tmp_path, "feeds: {sales: {locations: [P1], expected: {days: [mon, sun], except: [2026-09-28]}}}", "two"
    )
    world = World(one, two)
    put_stock(world, "P1", 1)
    assert missing(world) == {("P1", day) for day in DAYS if day.weekday() in (0, 6)}


def test_a_calendar_holds_from_its_day_on_and_the_contract_before(tmp_path: Path) -> None:
    """Busy at first by what it sells; from the 21st by its sender, who sends on Mondays and Sundays."""
    start, lost = date(2026, 9, 21), set(DAYS[-14:])
    said = "locations: [BUSY, QUIET]\nfeeds: {sales: {expected: {days: [mon, sun], from: 2026-09-21}}}"
    world = World(profile(tmp_path, said))
    put_sales(world, "BUSY", 9, [day for day in DAYS if day not in lost])
    put_sales(world, "QUIET", 1, [day for day in DAYS if day not in lost])
    put_stock(world, "BUSY", 1)
    stated = {day for day in lost if day >= start and day.weekday() in (0, 6)}
    before = {day for day in lost if day < start}
    assert missing(world) == {("BUSY", day) for day in stated | before} | {("QUIET", day) for day in stated}


def test_of_several_calendars_each_holds_until_the_next_one(tmp_path: Path) -> None:
    said = """locations: [P1]
feeds:
  sales:
    expected:
      - {days: [tue], from: 2026-09-14}
      - {days: [mon]}
      - {days: daily, from: 2026-09-27}
"""
    world = World(profile(tmp_path, said))
    put_stock(world, "P1", 1)
    days = {day for day in DAYS if day.weekday() == 0 and day < date(2026, 9, 14)}
    days |= {date(2026, 9, 15), date(2026, 9, 22), date(2026, 9, 27), date(2026, 9, 28)}
    assert missing(world) == {("P1", day) for day in days}


def test_a_calendar_that_always_held_is_written_as_before_it_could_begin(tmp_path: Path) -> None:
    """So that no KPI is computed again for it."""
    world = World(profile(tmp_path, "locations: [P1]\nfeeds: {sales: {expected: {days: [mon]}}}"))
    text = contracts_of(world)["sales"].properties["senderCalendars"]
    assert text == '[{"location": "P1", "off": [], "weekdays": "1"}]'


def test_a_code_with_a_quote_and_an_accent_is_that_location(tmp_path: Path) -> None:
    world = World(profile(tmp_path, 'locations: ["l\'\u00eele"]\nfeeds: {sales: {expected: {days: [mon]}}}'))
    put_stock(world, "P1", 1)
    assert missing(world) == {("L'\u00ceLE", day) for day in DAYS if day.weekday() == 0}


def test_the_demand_of_a_lost_week_of_a_quiet_shop_is_unknown_not_zero(tmp_path: Path) -> None:
    lost = {MONDAY - timedelta(days=n) for n in range(1, 8)}
    found = []
    for text in ("timeZone: UTC\n", "locations: [P1]\nfeeds: {sales: {expected: {days: daily}}}\n"):
        world = World(profile(tmp_path, text))
        put_stock(world, "P1", 20)
        put_sales(world, "P1", 2, [day for day in DAYS if day not in lost])
        world.warehouse.compute(["days_of_supply"], world)
        newest = "SELECT value, coverage_pct FROM inventory_kpi.days_of_supply ORDER BY business_date DESC LIMIT 1"
        found.append(world.warehouse.rows(newest)[0])
    assert (found[0]["value"], found[0]["coverage_pct"]) == (pytest.approx(20 / (42 / 28)), 100)
    assert (found[1]["value"], found[1]["coverage_pct"]) == (10, 75)


def test_the_examples_of_a_definition_know_no_calendar(tmp_path: Path) -> None:
    plain, stated = World(), World(profile(tmp_path, 'locations: [P1, "L\'ILE"]\n' + WEEKDAYS))
    written, found = (load_definitions(w.settings.definitions_uri, w)["missing_sales"] for w in (plain, stated))
    assert found.sql != written.sql
    assert without_calendars(found.sql) == written.sql


def test_a_text_in_the_place_of_a_number_is_named_with_its_line() -> None:
    written = Definition("some", "SELECT /* sales.expectedFromLines */ '5' AS x", {}, "base", "", "", "", 0, ())
    with pytest.raises(PermanentError, match=r"some\.sql:1: sales\.expectedFromLines is not a whole number"):
        with_values(written, World().contracts)


def test_a_changed_calendar_makes_the_kpi_stale_and_no_load(tmp_path: Path) -> None:
    texts = ("feeds: {sales: {}}", "locations: [P1]\n" + WEEKDAYS, "locations: [P2]\n" + WEEKDAYS)
    plain, stated, later = (World(profile(tmp_path, text)) for text in texts)
    versions = [
        load_definitions(w.settings.definitions_uri, w)["missing_sales"].version for w in (plain, stated, later)
    ]
    assert len(set(versions)) == 3
    others = [{n: d.version for n, d in load_definitions(w.settings.definitions_uri, w).items() if n != "missing_sales"}
              for w in (plain, stated)]  # fmt: skip
    assert others[0] == others[1]
    assert plain.senders[0].fingerprint == stated.senders[0].fingerprint == later.senders[0].fingerprint
    prints = [{feed: c.fingerprint for feed, c in contracts_of(w).items()} for w in (plain, stated)]
    assert prints[0] == prints[1]


@pytest.mark.parametrize("said", ["P1", "[]", "[7]", "[{a: b}]"])
def test_locations_that_are_no_codes_are_named(tmp_path: Path, said: str) -> None:
    for text, key in (
        (f"locations: {said}", "locations"),
        (f"feeds: {{sales: {{locations: {said}}}}}", "feeds.sales.locations"),
    ):
        with pytest.raises(PermanentError, match="expected a list of location codes") as caught:
            profile(tmp_path, text)
        assert f"contracts/senders/acme.yaml: {key}: found" in caught.value.message


def test_a_profiles_locations_are_shown(tmp_path: Path) -> None:
    shutil.copytree(bundle_root() / "contracts", tmp_path / "contracts", dirs_exist_ok=True)
    (tmp_path / "contracts" / "senders").mkdir(exist_ok=True)
    profile(tmp_path / "contracts" / "senders", "locations: [S07, S08]\n" + WEEKDAYS)
    listed = CliRunner().invoke(app, ["list", "--folder", str(tmp_path / "contracts"), "--json"])
    assert "locations: S07, S08" in listed.output
    stated = profile(tmp_path, "locations: [S07]\nfeeds: {sales: {locations: [S08], encoding: cp1252}}")
    assert _declared(stated) == {"locations": ["S07"], "feeds": {"sales": {"locations": ["S08"], "encoding": "cp1252"}}}


def test_locations_without_days_of_sales_keep_the_contracts_calendar(tmp_path: Path) -> None:
    world = World(profile(tmp_path, "locations: [P1]\nfeeds: {stock_counts: {expected: {days: [mon]}}}"))
    assert "senderCalendars" not in with_calendars(world.contracts, world.senders)["sales"].properties
