"""ingest and BigQuery's jobs: quota, failed jobs, other versions. What counts is in raw once, always."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.ingest.orphans import remove_orphans
from functions.ingest.raw import Staged, load_to_raw
from functions.ingest.version import version
from stockflow.errors import TransientError
from stockflow.services import Services
from tests.chaos.faults import Faults
from tests.chaos.proxy import Proxy
from tests.integration.ingest_world import ROWS, World, new_world, sales

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def world(services: Services) -> World:
    return new_world(services)


@pytest.fixture
def quota(bigquery_emulator: str) -> Iterator[Proxy]:
    """BigQuery with tables that had their load jobs of the day: ``quota.faults.exhausted``."""
    with Proxy(bigquery_emulator, Faults(seed=0, rate=0)).running() as proxy:
        yield proxy


def _behind(world: World, quota: Proxy) -> World:
    return replace(world, services=Services(replace(world.services.settings, bigquery_endpoint=quota.endpoint)))


def _later(world: World) -> World:
    """The same environment an hour later: a delivery is a replay."""
    clock = world.services.clock
    return replace(world, services=Services(world.services.settings, lambda: clock() + timedelta(hours=1)))


def _at_version(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("functions.ingest.arrival.version", lambda contract: name + version(contract))


def test_beyond_the_quota_of_load_jobs_rows_go_by_a_write_stream(world: World, quota: Proxy) -> None:
    quota.faults.exhausted.add("sales")
    ref = world.drop("sales/quota.csv", sales(*ROWS, "quota"))
    record = _behind(world, quota).ingest(ref)
    assert (record.detail["load_method"], quota.faults.counts["quotaExceeded"]) == ("write_stream", 1)
    world.check_books(ref, rows=2, rejects=2)


def test_a_load_job_whose_answer_was_lost_is_not_followed_by_a_stream(
    world: World, quota: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BigQuery took the job, its answer never came, and the submission that was sent again is beyond the quota."""
    answers = iter(["accepted_then_503"])

    def fault(method: str, path: str, body: bytes) -> str | None:
        return next(answers, "quotaExceeded") if method == "POST" and b'"load"' in body else None

    monkeypatch.setattr(quota, "fault", fault)
    ref = world.drop("sales/answer_lost.csv", sales(*ROWS, "lost"))
    record = _behind(world, quota).ingest(ref)
    assert record.detail["load_method"] == "load_job"
    world.check_books(ref, rows=2, rejects=2)


def test_a_write_stream_takes_rows_of_more_bytes_than_one_request(world: World, quota: Proxy) -> None:
    quota.faults.exhausted.add("sales")
    rows = [f"W{i},1,2026-09-01,A,LYO,1,10,{'x' * 60_000}" for i in range(300)]
    ref = world.drop(
        "sales/wide.csv",
        sales(*rows, header="receipt_number,line_number,business_date,sku,location_code,quantity,net_amount,note\n"),
    )
    assert _behind(world, quota).ingest(ref).detail["load_method"] == "write_stream"
    world.check_books(ref, rows=300)


def test_killed_beyond_the_quota_it_counts_once_even_when_the_quota_is_back(world: World, quota: Proxy) -> None:
    quota.faults.exhausted.add("sales")
    behind = _behind(world, quota)
    ref = world.drop("sales/quota_killed.csv", sales(*ROWS, "q,killed"))
    behind.killed(ref, "ledger", "record", "before")
    quota.faults.exhausted.clear()
    behind.ingest(ref)
    world.check_books(ref, rows=2, rejects=2)


def test_a_job_that_fails_leaves_nothing_and_the_next_delivery_is_a_run_of_its_own(world: World) -> None:
    contract = world.services.contracts["sales"]
    with pytest.raises(TransientError, match="load_failed"):  # the staged file is not there
        load_to_raw(Staged(contract, "r" * 20, "nowhere", "x.parquet", 1), world.services)
    ref = world.drop("sales/failed_job.csv", sales("R1,1,2026-09-01,A,LYO,1,10", "failed"))
    assert world.ingest(ref).detail["load_method"] == "load_job"
    world.check_books(ref, rows=1, rejects=1)


def test_calls_that_meet_share_one_load_job(world: World) -> None:
    """The first call's job runs while the others stage; the next job takes them all."""
    counting = _Counting(world.services.warehouse, calls=12)
    services = Services(world.services.settings)
    services.__dict__["warehouse"] = counting
    together = replace(world, services=services)
    refs = [world.drop(f"sales/meet_{i}.csv", sales(f"M{i},1,2026-09-01,A,LYO,1,10")) for i in range(12)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(together.ingest, refs))
    assert counting.jobs == 2
    for ref in refs:
        world.check_books(ref, rows=1)


def test_a_burst_shares_load_jobs_however_slowly_it_comes(world: World) -> None:
    """Given a pause between load jobs, when files come one after another within it, then two jobs take them all."""
    counting = _Counting(world.services.warehouse, calls=1)
    services = Services(replace(world.services.settings, load_pause_seconds=10.0))
    services.__dict__["warehouse"] = counting
    together = replace(world, services=services)
    refs = [world.drop(f"sales/slow_{i}.csv", sales(f"L{i},1,2026-09-01,A,LYO,1,10")) for i in range(4)]
    together.ingest(refs[0])
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(together.ingest, refs[1:]))
    assert counting.jobs == 2


class _Counting:
    """The warehouse; its first load job does not end before all other calls have staged theirs."""

    def __init__(self, real, calls: int) -> None:  # type: ignore[no-untyped-def]
        self._real, self._others, self.jobs = real, calls - 1, 0

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self._real, name)

    def load_parquet(self, uris, table, schema):  # type: ignore[no-untyped-def]
        self.jobs += 1
        if self.jobs == 1:
            assert self._all_staged(table)
        return self._real.load_parquet(uris, table, schema)

    def _all_staged(self, table: str) -> bool:
        from functions.ingest import raw
        from stockflow.waiting import wait_until

        return wait_until(lambda: raw._jobs.waiting(table) == self._others, 60, 0.02)


def test_another_version_of_the_code_states_its_rows_in_place_of_the_earlier_ones(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = world.drop("sales/versions.csv", sales("R70,1,2026-09-01,A,LYO,1,10", "R70,2,2026-09-01,B,LYO,1,10"))
    first = world.ingest(ref)
    _at_version(monkeypatch, "another")
    assert world.ingest(ref).raw_run_id != first.raw_run_id
    world.check_books(ref, rows=2)


def test_a_replay_that_is_killed_and_delivered_again_keeps_the_rows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = world.drop("sales/replay_killed.csv", sales(*ROWS, "q,replay"))
    world.ingest(ref)
    _at_version(monkeypatch, "another")
    for step in (("warehouse", "load_parquet"), ("ledger", "record")):
        world.killed(ref, *step)
        world.check_books(ref, rows=2, rejects=2)
    world.ingest(ref)
    world.check_books(ref, rows=2, rejects=2)


def test_two_copies_of_a_replay_at_once_keep_the_rows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = world.drop("sales/replay_copies.csv", sales(*ROWS, "q,copies"))
    world.ingest(ref)
    _at_version(monkeypatch, "another")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: world.ingest(ref), range(4)))
    world.check_books(ref, rows=2, rejects=2)


def test_a_contract_that_refuses_a_load_and_is_taken_back_gives_the_rows_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = world.drop("sales/back.csv", sales("R73,1,2026-09-01,A,LYO,1,10"))
    world.ingest(ref)
    with monkeypatch.context() as bad:
        _at_version(bad, "bad")
        bad.setattr("functions.ingest.pipeline.decode", _refuses)
        assert world.ingest(ref).state == "rejected"
    assert world.raw(ref) == []
    assert _later(world).ingest(ref).state == "loaded"
    world.check_books(ref, rows=1)


def _refuses(*_: object) -> Iterator[object]:
    from stockflow.errors import PermanentError

    raise PermanentError("missing_columns", "no column 'shelf'")
    yield


def test_a_replay_of_a_load_whose_object_is_gone_keeps_the_load(world: World) -> None:
    for name, remove in (("gone", True), ("overwritten", False)):
        ref = world.drop(f"sales/{name}.csv", sales(f"R74{name},1,2026-09-01,A,LYO,1,10"))
        first = world.ingest(ref)
        if remove:
            world.services.object_store.delete(ref.bucket, ref.name)
        else:
            world.drop(ref.name, sales(f"R74{name},1,2026-09-01,A,LYO,2,10"))
        assert _later(world).ingest(ref).record_id == first.record_id
        world.check_books(ref, rows=1)


def test_a_load_that_a_bad_contract_refused_comes_back_also_when_its_object_is_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = world.drop("sales/gone_since.csv", sales("R77,1,2026-09-01,A,LYO,1,10"))
    first = world.ingest(ref)
    with monkeypatch.context() as bad:
        _at_version(bad, "bad")
        bad.setattr("functions.ingest.pipeline.decode", _refuses)
        assert world.ingest(ref).state == "rejected"
    remove_orphans(world.services, old=timedelta(0))
    world.services.object_store.delete(ref.bucket, ref.name)
    with monkeypatch.context() as other:
        _at_version(other, "another one")
        assert _later(world).ingest(ref).state == "rejected"
    again = _later(world).ingest(ref)
    assert (again.state, again.raw_run_id) == ("loaded", first.raw_run_id)
    world.check_books(ref, rows=1)


def test_the_rows_that_a_killed_attempt_left_go_when_they_are_old(world: World) -> None:
    ref = world.drop("sales/orphans.csv", sales(*ROWS, "q,orphans"))
    world.killed(ref, "ledger", "record", "before")
    world.ingest(ref)
    count = "SELECT COUNT(*) AS n FROM inventory_raw.sales WHERE _load_id = @load"
    assert world.query(count, load=ref.load_id)[0]["n"] == 4
    remove_orphans(world.services)
    assert world.query(count, load=ref.load_id)[0]["n"] == 4
    remove_orphans(world.services, old=timedelta(0))
    assert world.query(count, load=ref.load_id)[0]["n"] == 2
    world.check_books(ref, rows=2, rejects=2)
