"""The fault proxy does what it says: real clients see each fault, and what was accepted is there."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain, repeat
from uuid import uuid4

import pytest
from google.api_core import exceptions as api
from google.cloud import pubsub_v1

from stockflow.errors import TransientError
from stockflow.gcp.warehouse import RETRY
from stockflow.services import Services
from tests.chaos.faults import COMMON, Faults
from tests.chaos.grpc_proxy import grpc_proxy
from tests.chaos.proxy import Proxy
from tests.support.stack import Inbox, environment

pytestmark = pytest.mark.integration


@pytest.fixture
def faults() -> Faults:
    return Faults(seed=1, rate=1.0, hang_seconds=0.2, late_seconds=0.5)


@pytest.fixture
def warehouse(services: Services, faults: Faults) -> Iterator[Proxy]:
    assert services.settings.bigquery_endpoint
    with Proxy(services.settings.bigquery_endpoint, faults).running() as proxy:
        yield proxy


def _behind(services: Services, proxy: Proxy) -> Services:
    return Services(replace(services.settings, bigquery_endpoint=proxy.endpoint))


def _row(name: str) -> dict[str, object]:
    return {"run_id": name, "kpi": name, "finished_at": "2026-01-01T00:00:00+00:00"}


def _count(services: Services, name: str) -> int:
    sql = "SELECT COUNT(*) AS n FROM inventory_ops.kpi_runs WHERE run_id = @name"
    return int(services.warehouse.query(sql, {"name": name})[0]["n"])


def _only(monkeypatch: pytest.MonkeyPatch, faults: Faults, *kinds: str) -> None:
    """The next requests get these faults, then none."""
    left = list(kinds)

    def choose(*_: object) -> str | None:
        if not left:
            return None
        faults.count(left[0])
        return left.pop(0)

    monkeypatch.setattr(faults, "choose", choose)


@pytest.mark.parametrize("kind", [*COMMON, "rateLimitExceeded", "job_failed"])
def test_a_query_outlives_one_fault(
    services: Services, warehouse: Proxy, faults: Faults, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    _only(monkeypatch, faults, kind)
    assert _behind(services, warehouse).warehouse.query("SELECT 1 AS one") == [{"one": 1}]
    assert faults.counts == {kind: 1}
    assert warehouse.requests["query job"] >= (1 if kind == "accepted_then_503" else 2)


def test_an_outage_is_said_soon_and_what_was_accepted_ran_once(
    services: Services, warehouse: Proxy, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every answer is lost: the job is submitted again under its own id only, and for a bounded time."""
    name = uuid4().hex
    monkeypatch.setattr("stockflow.gcp.warehouse.RETRY", RETRY.with_timeout(3))
    monkeypatch.setattr(faults, "choose", lambda *_: "accepted_then_503")
    sql = "INSERT INTO inventory_ops.kpi_runs (run_id, kpi, finished_at) VALUES (@name, @name, CURRENT_TIMESTAMP())"
    began = time.monotonic()
    with pytest.raises(TransientError) as refused:
        _behind(services, warehouse).warehouse.query(f"{sql}; SELECT 1", {"name": name})
    assert refused.value.code == "query_failed"
    assert time.monotonic() - began < 60
    assert warehouse.requests["query job"] >= 1
    assert _count(services, name) == 1


def test_a_quota_is_said_in_the_words_that_the_product_reads(
    services: Services, warehouse: Proxy, faults: Faults
) -> None:
    faults.enabled = False
    faults.exhausted.add("sales")
    with pytest.raises(TransientError) as refused:
        _behind(services, warehouse).warehouse.load_parquet(["gs://b/x"], services.settings.table("raw", "sales"), [])
    assert refused.value.facts["reason"] == "quotaExceeded"


def test_streamed_rows_show_later_and_once(
    services: Services, warehouse: Proxy, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = uuid4().hex
    _only(monkeypatch, faults, "late_rows")
    monkeypatch.setattr(faults, "seconds", lambda most: 1.0)
    table = services.settings.table("ops", "kpi_runs")
    _behind(services, warehouse).warehouse.insert(table, [_row(name)], [name])
    assert _count(services, name) == 0
    warehouse.show_late_rows()
    assert _count(services, name) == 1


@pytest.mark.parametrize("kind", [k for k in COMMON if k != "429"])
def test_a_file_is_written_and_read_whole_or_the_error_is_transient(
    services: Services, faults: Faults, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    assert services.settings.storage_endpoint
    with Proxy(services.settings.storage_endpoint, faults).running() as proxy:
        store = Services(replace(services.settings, storage_endpoint=proxy.endpoint)).object_store
        _only(monkeypatch, faults, kind)
        try:
            with store.create(services.settings.staging_bucket, f"x/{kind}", "text/plain") as sink:
                sink.write(b"abc")
        except TransientError:
            return
        assert store.read(services.settings.staging_bucket, f"x/{kind}") == b"abc"


def _sends(method: str, path: str) -> bool:
    """Whether a request sends an object's bytes, at once or as the last part of a session."""
    return method == "PUT" or "uploadType=multipart" in path


@pytest.mark.parametrize("size", [3, 9 << 20])
def test_an_upload_whose_answer_is_lost_is_whole_or_the_error_is_transient(
    services: Services, faults: Faults, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """The client asks again for a session that is complete: an emulator no longer knows it."""
    assert services.settings.storage_endpoint
    with Proxy(services.settings.storage_endpoint, faults).running() as proxy:
        store = Services(replace(services.settings, storage_endpoint=proxy.endpoint)).object_store
        kinds = chain(["accepted_then_503"], repeat(None))
        monkeypatch.setattr(proxy, "fault", lambda method, path, _: next(kinds) if _sends(method, path) else None)
        with suppress(TransientError):
            store.write(services.settings.staging_bucket, f"x/{size}", bytes(size), "text/plain")
        assert len(store.read(services.settings.staging_bucket, f"x/{size}")) == size


def test_a_published_message_may_come_twice_and_never_goes(services: Services, faults: Faults) -> None:
    import os

    inbox = Inbox(services)
    faults.rate = 0.5
    with grpc_proxy(os.environ["PUBSUB_EMULATOR_HOST"], faults) as host, environment({"PUBSUB_EMULATOR_HOST": host}):
        publisher = pubsub_v1.PublisherClient()
        path = services.settings.topic("inventory-events")
        sent = [publisher.publish(path, b"{}", number=str(n), run="proxy") for n in range(30)]
        for future in sent:
            future.result(timeout=60)
    came = inbox.find(30, "run", "proxy")
    assert {m["number"] for m in came} == {str(n) for n in range(30)}
    assert faults.total > 0


def test_a_resource_that_is_not_there_stays_not_found(services: Services, warehouse: Proxy, faults: Faults) -> None:
    faults.enabled = False
    with pytest.raises(api.NotFound):
        _behind(services, warehouse).warehouse.client.get_table("nothing.here")
