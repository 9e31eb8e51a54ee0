"""ingest and BigQuery's jobs: quota, failed attempts, other versions. Rows are in raw once, always."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from functions.ingest.load import bring

from functions.ingest import load
from functions.ingest.pipeline import version
from stockflow.errors import TransientError
from stockflow.identity import job_id
from stockflow.services import Services
from tests.integration.ingest_world import ROWS, World, new_world, sales
from tests.integration.quota_proxy import Quota, quota_proxy

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def world(services: Services) -> World:
    return new_world(services)


@pytest.fixture
def quota(bigquery_emulator: str) -> Iterator[Quota]:
    with quota_proxy(bigquery_emulator) as proxy:
        yield proxy


def _behind(world: World, quota: Quota) -> World:
    return replace(world, services=Services(replace(world.services.settings, bigquery_endpoint=quota.endpoint)))


def _tables(world: World) -> list[str]:
    dataset = world.services.settings.dataset("raw")
    return [t.table_id for t in world.services.warehouse.client.list_tables(dataset) if t.table_id.startswith("load_")]


def test_beyond_the_quota_of_load_jobs_a_load_goes_through_a_table_of_its_own(world: World, quota: Quota) -> None:
    quota.exhausted.add("sales")
    ref = world.drop("sales/quota.csv", sales(*ROWS, "quota"))
    record = _behind(world, quota).ingest(ref)
    assert (record.detail["road"], quota.refused) == ("own_table", 1)
    world.check_books(ref, rows=2, rejects=2)
    assert _tables(world) == []


@pytest.mark.parametrize("step", [("load_parquet", 1), ("query", 2), ("delete_table", 1)], ids=lambda s: s[0])
def test_killed_beyond_the_quota_it_loads_once_even_when_the_quota_is_back(
    world: World, quota: Quota, step: tuple[str, int]
) -> None:
    method, _ = step
    quota.exhausted.add("sales")
    behind = _behind(world, quota)
    ref = world.drop(f"sales/quota_{method}.csv", sales(*ROWS, f"q,{method}"))
    _kill_after(behind, ref, *step)
    dataset = world.services.settings.dataset("raw")
    for left in _tables(world):  # it goes even when nobody comes back
        assert world.services.warehouse.client.get_table(f"{dataset}.{left}").expires
    quota.exhausted.clear()
    behind.ingest(ref)
    world.check_books(ref, rows=2, rejects=2)


class _Countdown:
    """The warehouse, until the n-th successful call of one method that names this load."""

    def __init__(self, real: object, method: str, load_id: str) -> None:
        self._real, self._method, self._load = real, method, load_id

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        real = getattr(self._real, name)
        if name != self._method:
            return real

        def call(*args, **kwargs):  # type: ignore[no-untyped-def]
            result = real(*args, **kwargs)
            if f"load_sales_{self._load}" in str(args):
                raise KeyboardInterrupt(name)
            return result

        return call


def _kill_after(world: World, ref, method: str, _: int) -> None:  # type: ignore[no-untyped-def]
    dying = Services(world.services.settings)
    dying.__dict__["warehouse"] = _Countdown(world.services.warehouse, method, ref.load_id)
    dying.__dict__["ledger"] = world.services.ledger
    with pytest.raises(KeyboardInterrupt):
        replace(world, services=dying).ingest(ref)


def test_a_failed_job_frees_the_next_id_for_the_next_delivery(world: World) -> None:
    ref = world.drop("sales/failed_job.csv", sales("R1,1,2026-09-01,A,LYO,1,10", "failed"))
    warehouse, table = world.services.warehouse, world.services.settings.table("raw", "sales")
    with pytest.raises(TransientError):  # the staged file was not there: DONE, with an error
        warehouse.load_parquet("gs://nowhere/x.parquet", table, [], job_id("ingest", ref.load_id, 0))
    assert world.ingest(ref).detail["road"] == "load_job"
    assert warehouse.job_state(job_id("ingest", ref.load_id, 1)) == ("DONE", None)
    world.check_books(ref, rows=1, rejects=1)


def test_a_new_job_that_fails_is_not_followed_by_another_in_the_same_delivery(world: World) -> None:
    staged = load.Staged(
        "0" * 20, world.services.contracts["sales"], "v", "gs://nowhere/x.parquet", 1, world.services.clock()
    )
    with pytest.raises(TransientError):
        bring(staged, None, world.services)
    assert world.services.warehouse.job_state(job_id("ingest", "0" * 20, 1)) is None


def test_another_version_of_the_code_replaces_the_rows_of_the_earlier_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = world.drop("sales/versions.csv", sales("R70,1,2026-09-01,A,LYO,1,10", "R70,2,2026-09-01,B,LYO,1,10"))
    world.ingest(ref)
    monkeypatch.setattr("functions.ingest.pipeline.version", lambda contract: "another" + version(contract))
    record = world.ingest(ref)
    assert record.detail["road"] == "replaced"
    world.check_books(ref, rows=2)
    assert _tables(world) == []


def test_killed_before_the_record_and_redeployed_the_rows_are_those_of_the_new_version(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = world.drop("sales/redeployed.csv", sales("R71,1,2026-09-01,A,LYO,1,10", "R71,2"))
    world.killed(ref, "warehouse", "load_parquet", "after")
    monkeypatch.setattr("functions.ingest.pipeline.version", lambda contract: "another" + version(contract))
    assert world.ingest(ref).detail["road"] == "replaced"
    world.check_books(ref, rows=1, rejects=1)


def test_a_replay_older_than_the_job_history_asks_raw(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = world.drop("sales/ancient.csv", sales("R72,1,2026-09-01,A,LYO,1,10", "ancient"))
    world.killed(ref, "warehouse", "load_parquet", "after")
    monkeypatch.setattr(load, "JOB_HISTORY", world.services.clock() - world.services.clock())
    assert world.ingest(ref).detail["road"] == "already_there"
    world.check_books(ref, rows=1, rejects=1)
