"""What has ended is deleted on a laptop; the load stays in curated, the audit holds, a replay changes nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli import provision
from cli.audit.command import check
from cli.replay.choice import Choice
from cli.replay.command import plan_of
from cli.retention.expire import expire
from functions.transform.drain import transform
from functions.validate.run import validate
from local.state import FUNCTIONS
from stockflow.events import ObjectRef, StageEvent
from stockflow.services import Services
from tests.integration.ingest_world import World, new_world, sales

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
NOWHERE = {name: f"http://127.0.0.1:1/{name}" for name in FUNCTIONS}
KEPT = "customProperties:\n  - {property: keepRawDays, value: 40}\n  - {property: keepFilesDays, value: 40}\n"


@pytest.fixture(scope="module")
def world(services: Services, tmp_path_factory: pytest.TempPathFactory) -> World:
    """An environment whose sales are kept for 40 days as they came."""
    provision.subscriptions(services.settings, NOWHERE)
    folder = tmp_path_factory.mktemp("contracts")
    text = (services.settings.contracts_dir / "sales.yaml").read_text()
    (folder / "sales.yaml").write_text(text.replace("customProperties:\n", KEPT, 1))
    definitions = str(Path(__file__).parents[1] / "chaos" / "definitions")
    return new_world(Services(replace(services.settings, contracts_dir=folder, definitions_uri=definitions)))


def through(world: World, ref: ObjectRef, services: Services) -> None:
    transform(StageEvent("load.validated", "sales", ref.load_id, landed_on=ref.landed_on), services)


def count(world: World, table: str, ref: ObjectRef) -> int:
    sql = f"SELECT COUNT(*) AS n FROM {table} WHERE _load_id = '{ref.load_id}'"
    return int(world.query(sql + (" AND _landed_on >= DATE '2000-01-01'" if "_raw." in table else ""))[0]["n"])


def test_raw_and_files_end_and_curated_stays(world: World) -> None:
    """Given a file of today, when 41 days have passed, then raw and the file are gone and nothing else changed."""
    ref, services = world.drop("sales/kept.csv", sales("R1,1,2026-09-01,A,LYO,1,10")), world.services
    world.ingest(ref)
    validate(StageEvent("load.ingested", "sales", ref.load_id, landed_on=ref.landed_on), services)
    through(world, ref, services)
    expire(services)
    assert count(world, "inventory_raw.sales", ref) == 1

    later = Services(services.settings, lambda: datetime.now(UTC) + timedelta(days=41))
    expire(later)
    through(world, ref, later)  # a replay, long after

    assert count(world, "inventory_raw.sales", ref) == 0
    assert count(world, "inventory_curated.sales", ref) == 1
    assert later.object_store.stat(ref.bucket, ref.name) is None
    assert check(later, deep=True) == []
    planned = plan_of(Choice("transform"), later).summary()
    assert (planned["loads"], planned["without_raw"]) == (0, 1)
    assert [c.load_id for c in plan_of(Choice("kpi"), later).chosen] == [ref.load_id]
