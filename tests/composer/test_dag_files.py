"""The DAG files in both versions of Airflow that Cloud Composer offers: they import, at once and without a network."""

import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cli import wheel
from cli.stale import versions_of
from stockflow.services import Services
from stockflow.settings import Settings
from tests.composer.airflows import AIRFLOWS, Airflow, UnavailableError

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(1200)
TASKS = {
    "stockflow_backfill": ["plan", "replay", "report"],
    "stockflow_cleanup": ["cleanup"],
    "stockflow_kpi_restate": ["plan", "replay", "report", "check"],
    "stockflow_reconcile": ["reconcile"],
}


@pytest.fixture(scope="module", params=AIRFLOWS, ids=lambda a: a.name)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What an import of all DAG files told, with the wheel installed."""
    airflow: Airflow = request.param
    try:
        airflow.folder()
    except UnavailableError as error:
        pytest.skip(f"no {airflow.name} here: {error}")
    return airflow.run(tmp_path_factory.mktemp(airflow.name), "import")


def test_every_dag_is_imported_without_an_error(told: dict[str, Any]) -> None:
    assert told["errors"] == {}
    assert {name: sorted(tasks) for name, tasks in told["dags"].items()} == {n: sorted(t) for n, t in TASKS.items()}
    assert told["from_wheel"], "the code is what Terraform installs, not the checkout's"


def test_an_import_takes_less_than_a_second_and_opens_nothing(told: dict[str, Any]) -> None:
    """The network is closed while the files are imported, and no client of Google's is imported with them."""
    assert all(seconds < 1 for seconds in told["seconds"].values()), told["seconds"]
    assert told["clients"] == []


def test_the_code_of_the_wheel_has_the_versions_of_the_checkout(told: dict[str, Any]) -> None:
    """On that Python, with those packages: what a task takes for a redelivery is what the functions take for one."""
    services = Services(Settings.from_env({"GOOGLE_CLOUD_PROJECT": "p"}))
    assert told["versions"] == {
        stage: versions_of(stage, services).feeds[stage, "sales"]
        for stage in ("ingest", "validate", "transform", "kpi")
    }


def test_the_wheel_is_the_same_for_the_same_content_and_holds_what_it_says(tmp_path: Path) -> None:
    one, other = wheel.build(ROOT, tmp_path / "a"), wheel.build(ROOT, tmp_path / "b")
    assert one.name == other.name and one.read_bytes() == other.read_bytes()
    names = zipfile.ZipFile(one).namelist()
    assert {n.split("/")[0].split("-")[0] for n in names} == {"stockflow_composer"}, "it takes no other name"
    record = zipfile.ZipFile(one).read(next(n for n in names if n.endswith("RECORD"))).decode()
    assert sorted(line.split(",")[0] for line in record.splitlines()) == sorted(names)


@pytest.mark.parametrize("airflow", AIRFLOWS, ids=lambda a: a.name)
def test_the_locks_hold_what_the_wheel_needs(airflow: Airflow) -> None:
    names = set(re.findall(r"^([a-z0-9._-]+)==", airflow.lock.read_text(), re.MULTILINE))
    assert {re.split(r"[><=]", need)[0] for need in wheel.REQUIRES} | {"apache-airflow"} <= names
    given = [line for line in (ROOT / "composer/requirements.in").read_text().splitlines() if not line.startswith("#")]
    assert given == list(wheel.REQUIRES)
