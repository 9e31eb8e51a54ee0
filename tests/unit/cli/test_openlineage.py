"""Events are what the OpenLineage specification and Google's Data Lineage API take, and name the commit."""

import json
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud import datacatalog_lineage_v1 as api
from google.cloud.datacatalog_lineage_v1.services.lineage.transports import LineageGrpcTransport
from google.protobuf.json_format import MessageToDict

from cli.lineage.emit import moment
from cli.lineage.targets import DataLineage, File, Http, requests_of
from cli.output import CommandError
from functions.ingest.lineage.events import Event, Writer, fitted
from stockflow.errors import TransientError
from stockflow.ledger import StageRecord, next_record
from stockflow.senders import Sender
from stockflow.settings import Settings
from tests.support.lineage_model import project_model
from tests.support.openlineage import read

AT = datetime(2026, 9, 1, 8, tzinfo=UTC)
INGEST = StageRecord(
    "load", "sales", "ingest", "loaded", "v1", AT, AT + timedelta(seconds=2), "landing", "sales/a.csv", 17, "run-1",
    "run-1", lines=3, rows=2, rejects=1, size_bytes=99, landed_at=AT, detail={"header": ["Qté", "Ticket", "who knows"]},
)  # fmt: skip
VALIDATE = next_record(INGEST, "validate", state="validated", rows=1, quarantined=1, run_id="run-2")
TRANSFORM = next_record(
    VALIDATE, "transform", state="transformed", rows=1, run_id="run-3", detail={"tables": ["inventory_curated.sales"]}
)
KPI = next_record(TRANSFORM, "kpi", state="refreshed", rows=1, run_id="run-4", detail={"computed": ["gmroi"]})
REJECTED = replace(VALIDATE, state="rejected", reason_code="too_few_rows", message="3 rows, expected 100")
VERDICT = {"run_id": "run-2", "rule": "quantity_number", "expectation": "expect_x", "column_name": "quantity",
           "severity": "critical", "success": False, "checked": 2, "failed": 1}  # fmt: skip
RUN = {"run_id": "k1", "kpi": "gmroi", "definition_version": "d", "from_date": date(2026, 9, 1),
       "to_date": date(2026, 9, 2), "rows": 4, "state": "computed", "message": "", "started_at": AT,
       "finished_at": AT}  # fmt: skip
ATTEMPT = {"attempt_id": "t", "stage": "ingest", "feed": "sales", "bucket": "landing", "object": "sales/a.csv",
           "generation": 17, "reason_code": "unexpected", "message": "boom",
           "began_at": AT, "failed_at": AT}  # fmt: skip


@pytest.fixture(scope="module")
def writer() -> Writer:
    return Writer(Settings("shop", dataset_prefix="dev_"), project_model())


@pytest.fixture(scope="module")
def written(writer: Writer) -> list[Event]:
    """START and end of each stage, of a refusal, of a failed attempt, of computed and failed KPIs."""
    events = [e for r in (INGEST, VALIDATE, TRANSFORM, KPI, REJECTED) for e in writer.of_record(r, [VERDICT])]
    failed = {**RUN, "run_id": "k2", "state": "failed", "message": "no such column"}
    return [*events, *writer.of_attempt(ATTEMPT), *writer.of_run(RUN), *writer.of_run(failed)]


def test_each_event_is_what_the_specification_says(written: list[Event]) -> None:
    for event in written:
        assert read(event).run.runId == event["run"]["runId"]
    kinds = [event["eventType"] for event in written]
    assert kinds == ["START", "COMPLETE"] * 4 + ["START", "FAIL"] * 2 + ["START", "COMPLETE", "START", "FAIL"]


def test_the_check_sees_what_is_wrong(written: list[Event]) -> None:
    wrong = [
        {**written[0], "eventType": "DONE"},
        {**written[0], "run": {"runId": "not a uuid"}},
        {**written[0], "inputs": [{"namespace": "n"}]},
        {**written[0], "unknown": 1},
    ]
    for event in wrong:
        with pytest.raises((TypeError, ValueError)):
            read(event)


def test_ingest_names_the_generation_and_the_headers(written: list[Event]) -> None:
    end = written[1]
    (file,), raw = end["inputs"], end["outputs"][0]
    assert (file["namespace"], file["name"]) == ("gs://landing", "sales/a.csv")
    assert file["facets"]["version"]["datasetVersion"] == "17"
    assert raw["name"] == "shop.dev_inventory_raw.sales" and raw["outputFacets"]["outputStatistics"]["rowCount"] == 2
    fields = raw["facets"]["columnLineage"]["fields"]
    assert {column: f["inputFields"][0]["field"] for column, f in fields.items()} == {
        "quantity": "Qté", "receipt_number": "Ticket",
    }  # fmt: skip
    assert end["run"]["facets"]["stockflow_commit"]["runId"] == "run-1"
    assert (end["job"]["namespace"], end["job"]["name"]) == ("stockflow/shop/dev", "ingest.sales")


def test_the_headers_of_a_sender_are_its_own(writer: Writer) -> None:
    """Given a profile that says what a header of this sender means, then that is the column it is read as."""
    acme = Sender("acme", ("sales/*",), {}, {"sales": {"headers": {"who knows": "till_number"}}})
    raw = replace(writer, senders=(acme,)).of_record(INGEST)[1]["outputs"][0]
    assert raw["facets"]["columnLineage"]["fields"]["till_number"]["inputFields"][0]["field"] == "who knows"


def test_validate_says_what_each_rule_found(written: list[Event]) -> None:
    facets = written[3]["inputs"][0]["inputFacets"]
    (said,) = facets["dataQualityAssertions"]["assertions"]
    assert (said["name"], said["success"], said["actual"]) == ("quantity_number", False, "1 of 2 failed")
    assert facets["dataQualityMetrics"]["rowCount"] == 2


def test_transform_and_kpi_name_columns_from_the_sql(written: list[Event]) -> None:
    curated, kpi = written[5]["outputs"][0], written[13]["outputs"][0]
    amount = curated["facets"]["columnLineage"]["fields"]["net_amount"]["inputFields"]
    assert {"namespace": "bigquery", "name": "shop.dev_inventory_raw.sales", "field": "net_amount"} in amount
    assert kpi["name"] == "shop.dev_inventory_kpi.gmroi" and "value" in kpi["facets"]["columnLineage"]["fields"]


def test_a_refusal_says_why(written: list[Event]) -> None:
    assert written[9]["run"]["facets"]["errorMessage"]["message"] == "too_few_rows: 3 rows, expected 100"


def test_the_same_record_gives_the_same_events(writer: Writer) -> None:
    assert writer.of_record(INGEST) == writer.of_record(INGEST)
    assert writer.of_record(INGEST)[0]["run"]["runId"] != writer.of_record(VALIDATE)[0]["run"]["runId"]


def test_a_file_takes_each_event_once(written: list[Event], tmp_path: Path) -> None:
    path = tmp_path / "deep" / "lineage.jsonl"
    first, again = File(path), File(path)
    first.send(written[:3])
    again.send(written[:4])
    assert (first.sent, again.sent) == (3, 1)
    assert [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] == written[:4]


def test_an_event_is_cut_to_what_google_takes(written: list[Event]) -> None:
    table = {"namespace": "bigquery", "name": "p.d.t", "facets": {"big": "x" * 200}}
    many = {**written[1], "inputs": [table] * 4, "outputs": [{**table, "name": f"t{n}"} for n in range(7)]}
    parts = list(
        fitted({**many, "inputs": [*many["inputs"], {**table, "name": "n" * 50}]}, links=8, name=50, size=2_000)
    )
    assert [len(p["inputs"]) * len(p["outputs"]) for p in parts] == [8, 8, 8, 4]
    assert [d["name"] for p in parts for d in p["outputs"]] == [f"t{n}" for n in range(7)]
    assert max(len(json.dumps(p)) for p in parts) < 2_500 and "facets" not in parts[0]["inputs"][0]


def test_a_request_is_what_the_api_takes(written: list[Event]) -> None:
    (request,) = requests_of(written[1], "projects/shop/locations/europe-west1")
    sent = MessageToDict(api.ProcessOpenLineageRunEventRequest.pb(request))
    assert sent["openLineage"] == written[1] and len(sent["requestId"]) == 36
    assert requests_of(written[1], "p") == requests_of(written[1], "p")


@contextmanager
def data_lineage(answers: list[Any]) -> Iterator[tuple[Any, list[Any]]]:
    """The API's method on a real gRPC server, and Google's client on it."""
    took: list[Any] = []

    def method(request: Any, context: grpc.ServicerContext) -> Any:
        took.append(request)
        if code := answers.pop(0) if answers else None:
            context.abort(code, "refused")
        return api.ProcessOpenLineageRunEventResponse.pb(api.ProcessOpenLineageRunEventResponse())

    kind = api.ProcessOpenLineageRunEventRequest.pb()
    answer = api.ProcessOpenLineageRunEventResponse.pb()
    handler = grpc.unary_unary_rpc_method_handler(method, kind.FromString, answer.SerializeToString)
    service = "google.cloud.datacatalog.lineage.v1.Lineage"
    server = grpc.server(futures.ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service, {"ProcessOpenLineageRunEvent": handler})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield api.LineageClient(transport=LineageGrpcTransport(channel=channel)), took
    server.stop(None)


def test_google_s_client_sends_it(written: list[Event]) -> None:
    with data_lineage([]) as (client, took):
        place = DataLineage("shop", "europe-west1", client)
        place.send(written[:2])
    assert place.sent == 2 and [r.parent for r in took] == ["projects/shop/locations/europe-west1"] * 2


def test_a_refusal_of_google_says_how_far_it_came(written: list[Event]) -> None:
    with (
        data_lineage([None, grpc.StatusCode.PERMISSION_DENIED]) as (client, _),
        pytest.raises(TransientError, match="refused; 1 events were sent before it"),
    ):
        DataLineage("shop", "europe-west1", client).send(written[:3])


@contextmanager
def endpoint(codes: list[int]) -> Iterator[tuple[str, list[Any]]]:
    """An endpoint that answers with these codes, then with 201."""
    took: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            took.append((self.path, self.headers.get("Authorization"), json.loads(body)))
            self.send_response(codes.pop(0) if codes else 201)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", took
    server.shutdown()
    server.server_close()


def test_an_endpoint_like_marquez_takes_them(written: list[Event]) -> None:
    with endpoint([500]) as (url, took):
        Http(f"{url}/", "key").send(written[:2])
    assert [t[:2] for t in took] == [("/api/v1/lineage", "Bearer key")] * 3, "the first one was tried again"
    assert [t[2] for t in took[1:]] == written[:2]


def test_an_endpoint_that_refuses_is_not_asked_again(written: list[Event]) -> None:
    with endpoint([422]) as (url, took), pytest.raises(TransientError, match="422"):
        Http(url).send(written[:2])
    assert len(took) == 1


def test_since_when() -> None:
    assert moment("90m", AT) == AT - timedelta(minutes=90)
    assert moment("2026-09-01T08:00", AT) == moment("2026-09-01T10:00+02:00", AT) == AT
    with pytest.raises(CommandError, match="'soon' is not a time"):
        moment("soon", AT)
