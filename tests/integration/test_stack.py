"""A stack of one's own: files arrive from any client, parts are restarted, nothing is left running, data is kept."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import control
from local.state import PartStatus, alive, read_status
from stockflow.services import Services
from stockflow.waiting import wait_until
from tests.support.stack import FullStack, full_stack

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
PATIENCE = 240


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullStack]:
    """A running stack that this file may do violence to."""
    with full_stack(tmp_path_factory.mktemp("violence") / "state") as running:
        yield running


def script(stack: FullStack, *command: str) -> str:
    done = subprocess.run(command, env=stack.env, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def came_in(services: Services, name: str) -> bool:
    """Whether the rows of an object are in raw."""
    sql = "SELECT COUNT(*) AS n FROM inventory_ops.loads WHERE object = @name AND `rows` = 1"
    return bool(services.warehouse.query(sql, {"name": name})[0]["n"])


def csv(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text(f"code,name,type\n{path.stem.upper()},Shop {path.stem},store\n")
    return path


TEN_LINES = """
import sys
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

client = storage.Client(credentials=AnonymousCredentials())
bucket = client.bucket(sys.argv[1])
bucket.blob("locations/by_script.csv").upload_from_filename(sys.argv[2])
"""


def test_a_ten_line_script_drops_a_file(mine: FullStack, tmp_path: Path) -> None:
    """Given the variables of `stockflow env`, plain google-cloud-storage drops a file and its rows arrive."""
    script(mine, sys.executable, "-c", TEN_LINES, mine.stack.landing, str(csv(tmp_path, "by_script.csv")))
    assert wait_until(lambda: came_in(mine.services, "locations/by_script.csv"), PATIENCE, step=1)


@pytest.mark.parametrize(("tool", "name"), [(("gcloud", "storage"), "by_gcloud.csv"), (("gsutil",), "by_gsutil.csv")])
def test_the_cloud_sdk_drops_a_file(tool: tuple[str, ...], name: str, mine: FullStack, tmp_path: Path) -> None:
    """Given the same variables, `gcloud storage cp` and `gsutil cp` drop a file and its rows arrive."""
    if shutil.which(tool[0]) is None:
        pytest.skip(f"NOT CHECKED: no {tool[0]} on this machine")
    script(mine, *tool, "cp", str(csv(tmp_path, name)), f"gs://{mine.stack.landing}/locations/{name}")
    assert wait_until(lambda: came_in(mine.services, f"locations/{name}"), PATIENCE, step=1)


def test_bq_asks_the_warehouse(mine: FullStack) -> None:
    """Given the same variables, `bq query` needs no option for the endpoint."""
    if shutil.which("bq") is None:
        pytest.skip("NOT CHECKED: no bq on this machine")
    sql = "SELECT COUNT(*) AS n FROM inventory_ops.load_stages"
    rows = json.loads(script(mine, "bq", "query", "--use_legacy_sql=false", "--format=json", sql))
    assert int(rows[0]["n"]) >= 0


def part(stack: FullStack, name: str) -> PartStatus:
    return next(p for p in stack.status().parts if p.name == name)


def test_the_reporting_views_answer_before_and_after_the_first_kpis(mine: FullStack, tmp_path: Path) -> None:
    """What Looker Studio reads in the cloud is there on the laptop, too."""
    query = mine.services.warehouse.query
    views = sorted(p.stem for p in (Path(__file__).parents[2] / "warehouse/views/inventory_reporting").glob("*.sql"))
    counts = " UNION ALL ".join(f"SELECT '{v}' AS name, COUNT(*) AS n FROM inventory_reporting.{v}" for v in views)
    assert sorted(row["name"] for row in query(counts)) == views
    stock = tmp_path / "stock_2026-10-01.csv"
    stock.write_text("business_date,sku,location_code,on_hand\n2026-10-01,A,P1,5\n")
    script(mine, sys.executable, "-m", "cli.main", "drop", str(stock), "--feed", "stock_snapshots", "--wait")
    assert query("SELECT sku, units FROM inventory_reporting.stock_now WHERE sku = 'A'") == [{"sku": "A", "units": 5.0}]


def test_a_part_that_dies_is_started_again(mine: FullStack, tmp_path: Path) -> None:
    """Given a function killed hard, it is healthy again, the restart is counted and said, and files still arrive."""
    before = part(mine, "ingest")
    assert before.pid is not None
    os.killpg(before.pid, signal.SIGKILL)

    def back() -> bool:
        now = part(mine, "ingest")
        return now.restarts == before.restarts + 1 and now.state == "healthy"

    assert wait_until(back, PATIENCE)
    assert "code -9" in part(mine, "ingest").message
    ref = csv(tmp_path, "after_restart.csv")
    mine.services.object_store.write(mine.stack.landing, f"locations/{ref.name}", ref.read_bytes(), "text/csv")
    assert wait_until(lambda: came_in(mine.services, f"locations/{ref.name}"), PATIENCE, step=1)


def test_nothing_outlives_a_killed_supervisor_and_the_data_is_kept(mine: FullStack, tmp_path: Path) -> None:
    """Given kill -9 of the supervisor, all parts go, even one that hangs; the next `up` finds the same rows."""
    status, folder = mine.status(), mine.stack.folder
    hanging = part(mine, "transform").pid
    assert hanging is not None
    os.kill(hanging, signal.SIGSTOP)
    os.kill(status.pid, signal.SIGKILL)
    assert wait_until(lambda: not any(alive(p.pid, p.born) for p in status.parts), 60)
    assert not control.down(folder)
    again = control.up(folder, with_dashboard=False)
    assert again.ports == mine.stack.ports
    assert came_in(mine.services, "locations/by_script.csv")
    ref = csv(tmp_path, "after_crash.csv")
    mine.services.object_store.write(again.landing, f"locations/{ref.name}", ref.read_bytes(), "text/csv")
    assert wait_until(lambda: came_in(mine.services, f"locations/{ref.name}"), PATIENCE, step=1)


def test_down_stops_everything(mine: FullStack) -> None:
    """Given a running stack, after `down` no part of it runs and the status says so."""
    status = mine.status()
    assert control.down(mine.stack.folder)
    assert not any(alive(p.pid, p.born) for p in status.parts)
    after = read_status(mine.stack.folder)
    assert after is not None and after.state == "stopped"
