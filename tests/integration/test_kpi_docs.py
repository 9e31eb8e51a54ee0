"""docs/adding-a-kpi.md does what it says: one new file becomes a table, a view and a line of `kpi list`."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import provision, target
from cli.kpi.command import app
from functions.kpi.refresh import views_by_name
from tests.integration.kpi_world import ROOT, Outbox, World, new_world, sale

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
PAGE = (ROOT / "docs/adding-a-kpi.md").read_text()
EXAMPLE = ROOT / "docs/examples/weeks_of_supply.sql"
DAYS = (date(2026, 9, 1), date(2026, 9, 2))


class Post(Outbox):
    """Where Pub/Sub stands: the kpi function is called at once with what is published."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def publish(self, _topic: str, _data: bytes, attributes: Mapping[str, str]) -> str:
        self._world.drain(attributes["load_id"])
        return ""


@pytest.fixture(scope="module")
def world(bigquery_emulator: str, storage_emulator: str) -> Iterator[World]:
    """An environment that reads its definitions from a bucket, with two days of a small shop in it."""
    found = new_world(bigquery_emulator)
    bucket = f"{found.services.settings.dataset_prefix}definitions".replace("_", "-")
    uri = f"gs://{bucket}/kpi"
    settings = replace(found.services.settings, storage_endpoint=storage_emulator, definitions_uri=uri)
    found.services.settings = settings
    found.services.object_store.ensure_bucket(bucket, "EU")
    provision.definitions(found.services)
    found.services.__dict__["publisher"] = Post(found)
    found.put("sales", [sale(day, "A", "P1", 3 + number, f"r{number}") for number, day in enumerate(DAYS)])
    balance = {"sku": "A", "location_code": "P1", "on_hand": 9}
    found.put("stock_snapshots", [{"business_date": day, **balance} for day in DAYS])
    found.drain(found.transformed("sales", *DAYS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, "services", lambda: found.services)
        patch.setattr(target, "reachable", lambda: True)
        patch.delenv("STOCKFLOW_DEFINITIONS_URI", raising=False)
        yield found


def run(line: str) -> Any:
    """Run one line of the page; a command of ours in this process."""
    words = shlex.split(line)
    if words[:2] != ["stockflow", "kpi"]:
        subprocess.run(words, check=True)
        return None
    done = CliRunner().invoke(app, [*words[2:], "--json"])
    assert done.exit_code == 0, f"{line}\n{done.output}\n{done.exception!r}"
    return json.loads(done.stdout)


def refused(line: str) -> str:
    """Return in which words a command refuses."""
    done = CliRunner().invoke(app, shlex.split(line)[2:])
    assert done.exit_code, done.output
    return str(done.exception)


def test_the_page_shows_the_example_file() -> None:
    shown = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert shown == [EXAMPLE.read_text()]


def test_one_new_file_becomes_a_kpi(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given the page, when its commands run one after another, then each does what the page says of it."""
    monkeypatch.chdir(tmp_path)
    before = changed_files()
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    said = [(line, run(line)) for block in blocks for line in block.splitlines()]

    def of(command: str) -> list[Any]:
        return [answer for line, answer in said if line.startswith(f"stockflow kpi {command}")]

    assert of("preview")[0]["days"][-1] == {"day": str(DAYS[1]), "value": 26.8 / 9, "cells": 1, "without_value": 0}
    assert of("preview")[0]["bytes"] > 0 and of("check")[0][0]["bytes"] > 0
    assert [r["kpi"] for r in of("list")[0]].count("sales_per_unit") == 1
    of_the_file, of_the_published = of("lineage")
    assert {s["column"] for s in of_the_file["sources"]} >= {"inventory_curated.sales.net_amount"}
    assert of_the_published == of_the_file
    first, second = of("publish")
    assert first["runs"][0]["state"] == second["runs"][0]["state"] == "computed"
    assert of("diff")[0]["counts"] == {"changed": 0, "added": 0, "removed": 0, "same": 2}
    assert [(h["version"], h["live"]) for h in of("history")[0]] == [
        (first["version"], False),
        (second["version"], True),
    ]
    assert of("rollback")[0]["version"] == of("rollback")[1]["version"] == first["version"]
    assert of("retire")[0]["kpi"] == "sales_per_unit"
    assert [h["version"] for h in of("history")[1]][-2:] == [first["version"], "retired"]
    assert not any(h["live"] for h in of("history")[1])
    assert_explained(of("why")[0])

    view = world.rows("SELECT * FROM inventory_reporting.kpi_sales_per_unit ORDER BY business_date")
    assert [(r["location_code"], r["value"], r["definition_version"]) for r in view] == [
        ("P1", 20.1 / 9, first["version"]), ("P1", 26.8 / 9, first["version"])
    ]  # fmt: skip
    assert len(world.rows("SELECT * FROM inventory_kpi.sales_per_unit")) == 2
    assert changed_files() == before, "publishing touches no file of the repository"


def assert_explained(found: dict[str, Any]) -> None:
    """Four units at 6.70 after three: one more unit is volume, and the lines of files say so."""
    assert abs(sum(found["parts"].values()) - found["change"]) < 1e-9 and abs(found["change"] - 6.7) < 1e-9
    assert abs(found["parts"]["volume"] - 6.7) < 1e-9
    assert {line["feed"] for line in found["lines"]} == {"sales"}


def changed_files() -> str:
    return subprocess.run(["git", "status", "--short"], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_the_example_of_the_page_is_computed_and_reported(world: World, tmp_path: Path) -> None:
    """Given the page's own example, when it is published, then its value is that of the stock and sales above."""
    shutil.copy(EXAMPLE, tmp_path)
    run(f"stockflow kpi publish {tmp_path / EXAMPLE.name}")
    found = world.rows("SELECT business_date, sku, value FROM inventory_kpi.weeks_of_supply ORDER BY business_date")
    assert found == [
        {"business_date": day, "sku": "A", "value": value} for day, value in zip(DAYS, (9 / 21, 9 / 24.5), strict=True)
    ]
    reporting_views_give_the_last_value_of_stock(world)


def test_a_publication_that_does_not_wait_gets_its_view_when_its_table_is_there(world: World, tmp_path: Path) -> None:
    """Before the first computation it says what comes next; the same command makes the view afterwards."""
    again = tmp_path / "cover_weeks.sql"
    shutil.copy(EXAMPLE, again)
    command = f"stockflow kpi publish {again} --timeout 0"
    first = run(command)
    assert (first["view"], first["runs"]) == (None, [])
    waiting = refused(command)
    assert "its view waits for its table" in waiting and "stockflow kpi refresh cover_weeks" in waiting
    world.drain(world.transformed("sales", *DAYS))
    second = run(command)
    assert (second["view"], second["version"]) == ("inventory_reporting.kpi_cover_weeks", first["version"])
    assert len(world.rows("SELECT value FROM inventory_reporting.kpi_cover_weeks")) == len(DAYS)
    assert "already published" in refused(command)


def test_a_retired_kpi_comes_back_with_what_came_meanwhile(world: World, tmp_path: Path) -> None:
    """Its view goes, its table keeps its rows; published again, it has the sale that came while it was retired."""
    again = tmp_path / "cover_again.sql"
    shutil.copy(EXAMPLE, again)
    values = "SELECT value FROM inventory_kpi.cover_again ORDER BY business_date"
    published, before = run(f"stockflow kpi publish {again}"), world.rows(values)

    run("stockflow kpi retire cover_again --note mistake")
    world.put("sales", [sale(day, "A", "P1", 30 + number, f"r{number}") for number, day in enumerate(DAYS)])
    world.drain(world.transformed("sales", *DAYS))

    assert world.rows(values) == before
    assert "cover_again" in world.runs("retired") and "cover_again" not in names("stockflow kpi list")
    assert world.services.warehouse.layout(world.services.settings.table("reporting", "kpi_cover_again")) is None
    assert "is not published: `stockflow kpi list`" in refused("stockflow kpi retire cover_again")
    assert "no KPI" in refused("stockflow kpi show cover_again")
    last = run("stockflow kpi history cover_again")[-1]
    assert (last["version"], last["live"], last["note"]) == ("retired", False, "mistake")

    back = run("stockflow kpi rollback cover_again")
    assert back["version"] == published["version"] and back["runs"][0]["state"] == "computed"
    assert [round(r["value"], 9) for r in world.rows(values)] == [round(9 / (30 * 7), 9), round(9 / (30.5 * 7), 9)]
    assert back["view"] == "inventory_reporting.kpi_cover_again"
    assert "retired, not a version" in refused("stockflow kpi rollback cover_again --to 2")
    world.put("sales", [sale(day, "A", "P1", 3 + number, f"r{number}") for number, day in enumerate(DAYS)])
    world.drain(world.transformed("sales", *DAYS))


@pytest.mark.parametrize(
    ("name", "reader"),
    [("window_28d", "days_of_supply"), ("units_sold", "net_sales"), ("stock_value", "inventory_reporting.")],
)
def test_a_definition_that_is_read_is_not_retired(world: World, name: str, reader: str) -> None:
    """Read by a definition, named by one as what counts its units, or read by a view of the project."""
    said = refused(f"stockflow kpi retire {name}")
    assert said.startswith(f"{name} is read by ") and reader in said and "`stockflow kpi lineage" in said
    assert name in names("stockflow kpi list") or name == "window_28d"


def names(line: str) -> set[str]:
    return {row["kpi"] for row in run(line)}


def test_what_was_known_then_is_where_a_change_begins(world: World) -> None:
    """Given a sale that came after a report, when the change since that report is asked for, then it came late."""
    first = world.transformed("sales", *DAYS)
    reported = datetime.now(UTC)
    second = world.transformed("sales", *DAYS)
    stated = [stated_by(first, sale(day, "A", "P1", 3 + n, f"r{n}")) for n, day in enumerate(DAYS)]
    world.put("sales", [*stated, stated_by(second, sale(DAYS[0], "B", "P1", 2, "late"))])
    world.rows("INSERT INTO inventory_curated.sales_history SELECT *, NULL FROM inventory_curated.sales; SELECT 1")
    world.drain(first, second)

    found = run(f"stockflow kpi why net_sales --from {DAYS[0]} --to {DAYS[1]} --known-at {reported.isoformat()}")

    parts = {name: round(amount, 6) for name, amount in found["parts"].items()}
    assert (parts["late"], parts["corrections"], parts["definition"]) == (13.4, 0, 0)
    assert found["start"] == pytest.approx(20.1) and sum(parts.values()) == pytest.approx(found["change"])
    assert found["late_files"]


def stated_by(load: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row as transform leaves it: with the load that stated it."""
    return {**row, "till_number": "", "_load_id": load, "_generation": 1, "_line": 1}


def reporting_views_give_the_last_value_of_stock(world: World) -> None:
    """The reporting views run on what the definitions made; stock can be summed in none of them over dates."""
    for name, sql in views_by_name("inventory_reporting").items():
        world.rows(f"CREATE OR REPLACE VIEW {name} AS\n{sql}; SELECT 1")
        assert world.rows(f"SELECT COUNT(*) AS n FROM {name}")[0]["n"] >= 0
    assert world.rows("SELECT SUM(units) AS n FROM inventory_reporting.stock_now") == [{"n": 9.0}]
    assert world.rows("SELECT SUM(units_change) AS n FROM inventory_reporting.stock_changes") == [{"n": 9.0}]
