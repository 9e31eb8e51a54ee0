"""A profile that is wrong stops no KPI that does not need it, and changes no number."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.kpi.catalog import read_catalog
from functions.kpi.definition import Definition
from stockflow.known_calendars import read_profiles
from stockflow.settings import bundle_root
from tests.support.local_warehouse import LocalServices, LocalWarehouse

CALENDAR = "locations: [P1]\nfeeds: {sales: {expected: {days: [mon]}}}\n"
GOOD = "locations: [P2]\nfeeds: {sales: {expected: {days: daily}}}\n"
WRONG_ELSEWHERE = ("timeZone: Paris\n", "encoding: cp9999\n", "files: 7\n", "headers: [a]\n", "dateOrder: ddmmyyyy\n")
UNKNOWABLE = (
    "a: [", "- a", "locations: P1\n", "feeds: [sales]\n", "feeds: {sales: mon}\n", "locatoins: [P1]\n",
    "feeds: {sales: {expectd: {days: [mon]}}}\n", "feeds: {sales: {expected: {days: [monday]}}}\n",
)  # fmt: skip


def world(folder: Path, *profiles: str) -> LocalServices:
    """Return an environment with these profiles; one that was there before is gone."""
    shutil.copytree(bundle_root() / "contracts", folder / "contracts", dirs_exist_ok=True)
    shutil.rmtree(folder / "contracts" / "senders", ignore_errors=True)
    (folder / "contracts" / "senders").mkdir()
    for number, text in enumerate(profiles):
        (folder / "contracts" / "senders" / f"s{number}.yaml").write_text(text, encoding="utf-8")
    made = LocalServices(LocalWarehouse(), datetime(2026, 9, 29, tzinfo=UTC))
    made.settings = replace(made.settings, contracts_dir=folder / "contracts")
    return made


def definitions(made: LocalServices) -> dict[str, Definition]:
    return read_catalog(made.settings.definitions_uri, made).definitions


@pytest.mark.parametrize("wrong", WRONG_ELSEWHERE)
def test_a_calendar_counts_where_something_else_of_its_profile_is_wrong(tmp_path: Path, wrong: str) -> None:
    before = definitions(world(tmp_path, CALENDAR, GOOD))
    made = world(tmp_path, wrong + CALENDAR, GOOD)
    assert {n: d.version for n, d in definitions(made).items()} == {n: d.version for n, d in before.items()}
    (fault,) = read_profiles(made.settings.contracts_dir).read_in_part
    assert fault.code == "bad_sender" and "s0.yaml" in fault.message


@pytest.mark.parametrize("text", UNKNOWABLE)
def test_only_what_needs_a_calendar_that_nobody_can_know_waits(tmp_path: Path, text: str) -> None:
    before = definitions(world(tmp_path, CALENDAR, GOOD))
    made = world(tmp_path, text, GOOD)
    found = read_catalog(made.settings.definitions_uri, made)
    assert list(found.faults) == ["missing_sales"]
    fault = found.faults["missing_sales"]
    assert fault.code == "bad_sender" and "missing_sales.sql: it waits" in fault.message and "s0.yaml" in fault.message
    others = {n: d.version for n, d in before.items() if n != "missing_sales"}
    assert {n: d.version for n, d in found.definitions.items()} == others


def test_profiles_without_a_mistake_leave_no_fault(tmp_path: Path) -> None:
    found = read_profiles(world(tmp_path, CALENDAR, GOOD).settings.contracts_dir)
    assert [s.name for s in found.senders] == ["s0", "s1"] and not found.read_in_part and not found.unknown
