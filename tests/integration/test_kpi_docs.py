"""docs/adding-a-kpi.md does what it says: its definition is checked, its example holds, its table appears."""

import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from functions.kpi.catalog import load_definitions
from functions.kpi.columns import all_columns, curated_columns
from functions.kpi.examples import differences, example_sql
from functions.kpi.refresh import views_by_name
from tests.integration.kpi_world import DEFINITIONS, ROOT, World, new_world, sale

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
PAGE = (ROOT / "docs/adding-a-kpi.md").read_text()
EXAMPLE = ROOT / "docs/examples/weeks_of_supply.sql"


@pytest.fixture
def definitions(tmp_path: Path) -> Path:
    """The project's definitions and the page's own."""
    shutil.copytree(DEFINITIONS, tmp_path / "definitions")
    shutil.copy(EXAMPLE, tmp_path / "definitions")
    return tmp_path / "definitions"


def test_the_page_shows_the_example_file() -> None:
    shown = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert shown == [EXAMPLE.read_text()]


def test_the_commands_work() -> None:
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            command = [str(Path(sys.prefix) / "bin" / line.split()[0]), *line.split()[1:]]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr


def test_its_table_appears_with_the_next_load_and_its_example_holds(definitions: Path, bigquery_emulator: str) -> None:
    world: World = new_world(bigquery_emulator)
    day = date(2026, 5, 1)
    world.put("sales", [sale(day, "A", "P1", 3, "1")])
    world.put("stock_snapshots", [{"business_date": day, "sku": "A", "location_code": "P1", "on_hand": 9}])
    world.define(definitions)
    world.drain(world.transformed("sales", day))
    found = world.rows("SELECT business_date, sku, value FROM inventory_kpi.weeks_of_supply")
    assert found == [{"business_date": day, "sku": "A", "value": 9 / 21}]

    known_views = views_by_name("inventory_curated")
    all_ = load_definitions(str(definitions))
    known = all_columns(all_, known_views, curated_columns(world.services.contracts))
    one = all_["weeks_of_supply"]
    for example in one.examples:
        rows = world.rows(example_sql(one, example["given"], known, known_views))
        assert differences(one, example["expect"], rows) == []

    reporting_views_give_the_last_value_of_stock(world)


def reporting_views_give_the_last_value_of_stock(world: World) -> None:
    """The reporting views run on what the definitions made; stock can be summed in none of them over dates."""
    for name, sql in views_by_name("inventory_reporting").items():
        world.rows(f"CREATE OR REPLACE VIEW {name} AS\n{sql}; SELECT 1")
        assert world.rows(f"SELECT COUNT(*) AS n FROM {name}")[0]["n"] >= 0
    assert world.rows("SELECT SUM(units) AS n FROM inventory_reporting.stock_now") == [{"n": 9.0}]
    assert world.rows("SELECT SUM(units_change) AS n FROM inventory_reporting.stock_changes") == [{"n": 9.0}]
