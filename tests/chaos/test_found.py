"""What the proofs found, each as its smallest test."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pyarrow import parquet

from stockflow.errors import TransientError
from stockflow.events import ObjectRef
from stockflow.gcp import warehouse
from stockflow.services import Services
from tests.chaos.faults import Faults
from tests.chaos.model import File, Landed, Line
from tests.chaos.patience import short_patience
from tests.chaos.proxy import Proxy
from tests.integration.ingest_world import World, new_world, sales

pytestmark = [pytest.mark.integration, pytest.mark.chaos]


@pytest.fixture(scope="module")
def world(services: Services) -> World:
    return new_world(services)


@pytest.fixture
def broken_uploads(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """Cloud Storage that forgets every upload that has begun: 410, after which a client has to start over."""
    monkeypatch.setattr(Proxy, "fault", lambda self, method, path, body: "410" if method == "PUT" else None)
    assert services.settings.storage_endpoint
    with Proxy(services.settings.storage_endpoint, Faults(1)).running() as proxy, short_patience():
        yield Services(replace(services.settings, storage_endpoint=proxy.endpoint))


def _table(rows: int) -> pa.Table:
    import random

    dice = random.Random(1)
    return pa.table({"text": [dice.randbytes(500).hex() for _ in range(rows)]})


def test_an_upload_that_breaks_in_the_middle_is_a_transient_error(broken_uploads: Services) -> None:
    """A staged file is larger than one part of 8 MiB, so that a part is sent while it is written."""
    table = _table(12_000)
    bucket = broken_uploads.settings.staging_bucket
    with (
        pytest.raises(TransientError),
        broken_uploads.object_store.create(bucket, "broken.parquet", "x/y") as sink,
        parquet.ParquetWriter(sink, table.schema) as writer,
    ):
        for batch in table.to_batches(max_chunksize=4_000):
            writer.write_batch(batch)


@pytest.fixture
def away(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """BigQuery that says 503 for longer than a client tries again (here: a second)."""
    monkeypatch.setattr(Proxy, "fault", lambda self, method, path, body: "503")
    monkeypatch.setattr(warehouse, "RETRY", warehouse.RETRY.with_timeout(1))
    assert services.settings.bigquery_endpoint
    with Proxy(services.settings.bigquery_endpoint, Faults(1)).running() as proxy, short_patience():
        yield Services(replace(services.settings, bigquery_endpoint=proxy.endpoint))


def test_an_outage_that_outlasts_the_retries_is_a_transient_error(away: Services) -> None:
    with pytest.raises(TransientError):
        away.warehouse.insert(away.settings.table("ops", "kpi_runs"), [{"run_id": "x"}], ["x"])


def _price(quantity: int) -> str:
    return sales(f"R1,1,2026-09-01,A,LYO,{quantity},10")


def test_a_file_that_failed_in_between_may_still_state_something(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """10, then 12 (rejected under a contract that is corrected later), then 10 again: the last one is a statement."""
    first = world.drop("sales/between_1.csv", _price(10))
    world.ingest(first)
    between = world.drop("sales/between_2.csv", _price(12))
    with monkeypatch.context() as bad:
        bad.setattr("functions.ingest.pipeline.decode", _refuses)
        assert world.ingest(between).state == "rejected"
    last = world.drop("sales/between_3.csv", _price(10))
    assert world.ingest(last).state == "loaded"


def _refuses(*_: object) -> Iterator[object]:
    from stockflow.errors import PermanentError

    raise PermanentError("missing_columns", "no column 'shelf'")
    yield


def test_only_a_generation_that_nobody_heard_of_and_that_is_gone_may_end_as_nothing() -> None:
    """An announcement that is lost is made up for by the sweep, as long as the object is there."""
    ref = ObjectRef("landing", "sales/a.csv", 1, 1, "", datetime(2026, 9, 1, tzinfo=UTC))
    one = Landed(ref, File(ref.name, (Line("R1", 1),)))
    ends = {(gone, unheard): "nothing" in replace(one, gone=gone, is_unheard=unheard).allowed
            for gone in (False, True) for unheard in (False, True)}  # fmt: skip
    assert ends == {(False, False): False, (False, True): False, (True, False): False, (True, True): True}
