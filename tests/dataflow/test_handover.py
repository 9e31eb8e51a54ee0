"""ingest hands a file that is too large over to Dataflow: one job for a load, until it ends or is too old."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from google.cloud import dataflow_v1beta3 as api
from google.protobuf.json_format import ParseDict

from functions.ingest import sweep
from functions.ingest.pipeline import ingest
from stockflow.errors import TransientError
from stockflow.schema import pipeline
from stockflow.services import Services
from tests.dataflow import shop

pytestmark = pytest.mark.integration
LIMIT = 10_000
ENVIRONMENT = {"serviceAccountEmail": "dataflow@example", "machineType": "e2-standard-2", "maxWorkers": 8}


class Standin:
    """Takes launches as Dataflow's API does; ``status`` is what it answers."""

    def __init__(self) -> None:
        self.status, self.asked = 200, list[dict[str, Any]]()
        self.paths: list[str] = []
        standin = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                standin.paths.append(self.path)
                standin.asked.append(json.loads(body))
                self.send_response(standin.status)
                self.end_headers()
                self.wfile.write(b'{"job": {"id": "1"}}')

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def jobs(self) -> list[dict[str, Any]]:
        return [body["launchParameter"] for body in self.asked]


@pytest.fixture
def dataflow() -> Iterator[Standin]:
    standin = Standin()
    yield standin
    standin.server.shutdown()
    standin.server.server_close()


@pytest.fixture
def handing(services: Services, dataflow: Standin) -> Services:
    """Services of an ingest that takes little and hands over the rest; the clock is the test's."""
    settings = replace(
        services.settings, max_file_bytes=LIMIT, dataflow_template="gs://artifacts/dataflow/large-file.json",
        dataflow_environment=json.dumps(ENVIRONMENT),
        dataflow_endpoint=f"http://127.0.0.1:{dataflow.server.server_port}",
    )  # fmt: skip
    return Services(settings)


def later(services: Services, hours: float) -> Services:
    """Return the same services at another time."""
    now = services.clock() + timedelta(hours=hours)

    def clock() -> datetime:
        return now

    return Services(services.settings, clock)


def test_a_large_file_goes_to_a_job_that_loads_it(services: Services, handing: Services, dataflow: Standin) -> None:
    """The job's parameters lead to the object and the run; its record ends the load."""
    ref = shop.drop(services, "sales/handed.csv", shop.sales(600, 200_000))
    record = ingest(ref, handing)
    assert (record.state, record.detail["jobs"]) == ("handed_over", 1)
    assert record.message and f"one function call takes {LIMIT:,} bytes" in record.message
    (job,) = dataflow.jobs
    asked = job["parameters"]
    worker = Services(type(services.settings).from_env(json.loads(asked["settings"])))
    assert replace(worker.settings, memory_bytes=0) == replace(
        handing.settings, dataflow_environment="{}", memory_bytes=0, contracts_dir=worker.settings.contracts_dir
    )
    again = shop.load.job_of(asked["object"], asked["run_id"], worker)
    done = shop.carried_out(again, worker)
    assert done is not None and (done.state, done.rows) == ("loaded", 600)
    assert len(shop.rows(ref, services)) == 600
    assert ingest(ref, handing).state == "loaded", "a redelivery finds the job's record"
    assert len(dataflow.jobs) == 1


def test_a_file_that_one_call_has_no_time_for_is_handed_over_by_its_format(
    services: Services, handing: Services, dataflow: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the speed of its format in pipeline.yaml; a packed file by what it holds. Without Dataflow it is read here."""
    large = Services(replace(handing.settings, max_file_bytes=10**9))
    monkeypatch.setitem(pipeline()["one_call"], "megabytes_per_second", {"csv": 0.0001})  # 20 kB
    content = shop.sales(800, 230_000)
    ref = shop.drop(services, "sales/slow.csv", content)
    record = ingest(ref, large)
    assert (
        record.state == "handed_over"
        and record.message
        and "one function call takes 20,000 bytes of csv" in record.message
    )
    packed = shop.drop(services, "sales/slow2.csv.gz", gzip.compress(shop.sales(800, 240_000), 1))
    record = ingest(packed, large)
    assert record.state == "handed_over" and record.message and "takes 4,000 bytes of csv" in record.message
    small = shop.drop(services, "sales/quick.csv", shop.sales(20, 250_000))
    assert ingest(small, large).state == "loaded"
    here = Services(replace(large.settings, dataflow_template=""))
    assert ingest(shop.drop(services, "sales/here.csv", shop.sales(800, 260_000)), here).state == "loaded"
    assert len(dataflow.jobs) == 2


def test_the_request_is_what_the_api_takes(services: Services, handing: Services, dataflow: Standin) -> None:
    """Every field is one of the API's own types; the job's name is a valid one."""
    ref = shop.drop(services, "sales/typed.csv", shop.sales(200, 210_000))
    ingest(ref, handing)
    settings = handing.settings
    assert dataflow.paths == [f"/v1b3/projects/{settings.project}/locations/{settings.location}/flexTemplates:launch"]
    message = api.LaunchFlexTemplateRequest.pb()()
    ParseDict(dataflow.asked[0], message)  # raises for a field that the API does not have
    launch = message.launch_parameter
    assert launch.container_spec_gcs_path == settings.dataflow_template
    assert launch.environment.service_account_email == "dataflow@example"
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", launch.job_name)


def test_notifications_that_come_again_ask_for_one_job(
    services: Services, handing: Services, dataflow: Standin
) -> None:
    """Also when the call died between launch and record: the same name again, which Dataflow refuses as there."""
    ref = shop.drop(services, "sales/again.csv", shop.sales(200, 220_000))
    dataflow.status = 409
    assert ingest(ref, handing).state == "handed_over"
    assert ingest(ref, handing).state == "handed_over"
    assert len(dataflow.jobs) == 1


def test_an_old_hand_over_is_swept_up_and_given_up_at_last(
    services: Services, handing: Services, dataflow: Standin
) -> None:
    """Each time with another run; after three jobs a person has to look."""
    ref = shop.drop(services, "sales/old.csv", shop.sales(200, 230_000))
    ingest(ref, handing)
    assert ref.load_id not in [o.load_id for o in sweep.old_handovers(later(handing, 1))]
    assert ref.load_id in [o.load_id for o in sweep.old_handovers(later(handing, 5))]
    for hours in (5, 10):
        assert ingest(ref, later(handing, hours)).state == "handed_over"
    assert len({job["parameters"]["run_id"] for job in dataflow.jobs}) == 3
    assert len({job["jobName"] for job in dataflow.jobs}) == 3
    failed = ingest(ref, later(handing, 15))
    assert (failed.state, failed.reason_code) == ("failed", "handed_over_without_end")
    assert dataflow.jobs[-1]["jobName"] in (failed.message or "")


def test_a_replay_of_a_loaded_file_leaves_its_rows_until_the_job_commits(
    services: Services, handing: Services, dataflow: Standin
) -> None:
    """The record of the hand-over goes on naming the run whose rows count."""
    ref = shop.drop(services, "sales/replayed.csv", shop.sales(200, 240_000))
    loaded = ingest(ref, services)
    handed = ingest(ref, later(handing, 1))
    assert (handed.state, handed.raw_run_id) == ("handed_over", loaded.raw_run_id)
    assert len(shop.rows(ref, services)) == 200
    run_id = dataflow.jobs[0]["parameters"]["run_id"]
    done = shop.carried_out(shop.load.job_of(shop.resource(ref), run_id, later(handing, 2)), later(handing, 2))
    assert done is not None and (done.state, done.raw_run_id) == ("loaded", run_id)


@pytest.mark.parametrize(("status", "code"), [(503, "dataflow_unavailable"), (403, "launch_refused")])
def test_what_dataflow_does_not_take_is_tried_again(
    services: Services, handing: Services, dataflow: Standin, status: int, code: str
) -> None:
    """The notification stays, and the ledger says nothing of a job."""
    ref = shop.drop(services, f"sales/refused{status}.csv", shop.sales(200, 250_000 + status))
    dataflow.status = status
    with pytest.raises(TransientError, match=code):
        ingest(ref, handing)
    assert "ingest" not in services.ledger.stages(ref.load_id, ref.landed_on)


def test_without_a_template_the_file_is_rejected_with_its_limit(services: Services, handing: Services) -> None:
    """As on a laptop, where nothing is handed over unless a template is named."""
    ref = shop.drop(services, "sales/rejected.csv", shop.sales(200, 260_000))
    record = ingest(ref, Services(replace(handing.settings, dataflow_template="")))
    assert (record.state, record.reason_code) == ("rejected", "too_large_for_function")
