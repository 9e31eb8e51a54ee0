"""Each sweep tells what ended since the one before: START and COMPLETE or FAIL of each stage, once."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from google.cloud import datacatalog_lineage_v1 as api

from functions.ingest.lineage.events import Bare, Writer
from functions.ingest.lineage.tell import MARK, tell_lineage
from functions.ingest.ticks import at_tick
from stockflow.events import TICK
from stockflow.ledger import StageRecord
from tests.support.openlineage import read
from tests.unit.ingest.test_receipts import DETAIL, NOW, PASSED, World

MINUTES = timedelta(minutes=10)


class Receiver:
    """Takes events; answers with the next of ``answers`` first. ``taken``: request id, event."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.paths: set[str] = set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = receiver.answers.pop(0) if receiver.answers else 200
                place = urlsplit(self.path)
                if status == 200:
                    receiver.paths.add(place.path)
                    receiver.taken.append((parse_qs(place.query).get("requestId", [""])[0], body))
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def said(self) -> list[tuple[str, str]]:
        """Return job and type of each event."""
        return [(event["job"]["name"], event["eventType"]) for _, event in self.taken]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def world(receiver: Receiver) -> World:
    made = World()
    made.settings = replace(made.settings, staging_bucket="local-staging", lineage_url=f"{receiver.url}/datalineage")
    return made


def test_each_stage_is_told_with_its_end(world: World, receiver: Receiver) -> None:
    world.record("sales/a.csv", *PASSED, at=NOW - MINUTES, detail=DETAIL)
    world.record("sales/b.csv", ("ingest", "loaded"), ("validate", "rejected"), at=NOW - MINUTES, detail=DETAIL)
    assert tell_lineage(world) == 12
    stages = [f"{stage}.sales" for stage, _ in PASSED]
    both = [("ingest.sales", "COMPLETE"), ("validate.sales", "FAIL")]
    ends = [(stage, "COMPLETE") for stage in stages]
    assert sorted(s for s in receiver.said() if s[1] != "START") == sorted(ends + both)
    assert sum(kind == "START" for _, kind in receiver.said()) == 6


def test_each_event_is_what_openlineage_and_google_take(world: World, receiver: Receiver) -> None:
    world.record("sales/a.csv", *PASSED, at=NOW - MINUTES, detail=DETAIL)
    tell_lineage(world)
    assert receiver.paths == {"/datalineage/v1/projects/local/locations/europe-west1:processOpenLineageRunEvent"}
    for request_id, event in receiver.taken:
        assert read(event).run.runId == event["run"]["runId"]
        stated = {"parent": "projects/p/locations/l", "requestId": request_id, "openLineage": event}
        assert api.ProcessOpenLineageRunEventRequest.from_json(json.dumps(stated)).request_id == request_id


def test_an_endpoint_such_as_marquez_gets_them_too(world: World, receiver: Receiver) -> None:
    world.settings = replace(world.settings, lineage_url=receiver.url)
    world.record("sales/a.csv", ("ingest", "rejected"), at=NOW - MINUTES)
    assert tell_lineage(world) == 2 and receiver.paths == {"/api/v1/lineage"}


def test_what_was_told_is_not_told_again_and_a_late_record_is(world: World, receiver: Receiver) -> None:
    world.record("sales/a.csv", *PASSED, at=NOW - timedelta(minutes=1))
    assert (tell_lineage(world), tell_lineage(world)) == (8, 0)
    world.now = NOW + MINUTES
    world.record("sales/late.csv", ("ingest", "rejected"), at=NOW - timedelta(minutes=3))  # seen only now
    assert (tell_lineage(world), tell_lineage(world)) == (2, 0)


def test_an_outage_costs_a_late_event_and_no_sweep(world: World, receiver: Receiver, monkeypatch: Any) -> None:
    """Every end state is told at the latest with the first tick after the outage."""
    for name in ("sweep", "tell_freshness", "tell_expected", "remove_orphans_daily"):
        monkeypatch.setattr(f"functions.ingest.ticks.{name}", lambda *_, **__: None)
    world.record("sales/a.csv", *PASSED, at=NOW - timedelta(minutes=1))
    receiver.answers = [200, 200, 200, 503]
    at_tick(TICK, world)
    assert len(receiver.taken) == 3
    world.now = NOW + 6 * MINUTES
    at_tick(TICK, world)
    assert len(receiver.taken) == len({key for key, _ in receiver.taken}) == 8


def test_what_is_refused_for_good_holds_nothing_up(world: World, receiver: Receiver, caplog: Any) -> None:
    world.record("sales/a.csv", *PASSED, at=NOW - timedelta(minutes=1))
    receiver.answers = [400]
    assert (tell_lineage(world), tell_lineage(world)) == (8, 0)
    assert len(receiver.taken) == 7 and "lineage refused" in caplog.text


def test_a_tick_without_time_goes_on_with_the_next(world: World, receiver: Receiver) -> None:
    world.record("sales/a.csv", *PASSED, at=NOW - timedelta(minutes=1))
    assert (tell_lineage(world, seconds=-1), tell_lineage(world)) == (0, 8)


def test_it_is_off_unless_it_is_asked_for(world: World) -> None:
    world.settings = replace(world.settings, lineage_url="")
    world.record("sales/a.csv", *PASSED)
    assert tell_lineage(world) == 0 and ("local-staging", MARK) not in world.objects.kept


def test_an_event_takes_less_than_ten_milliseconds(world: World) -> None:
    """Even so it is no stage's time: events are made of the ledger, by a tick."""
    at = datetime(2026, 9, 1, tzinfo=UTC)
    record = StageRecord("load", "sales", "ingest", "loaded", "v", at, at, "landing", "sales/a.csv", 1, detail=DETAIL)
    writer = Writer(world.settings, Bare(world.contracts))
    writer.of_record(record)
    began = time.perf_counter()
    for _ in range(100):
        json.dumps(writer.of_record(record))
    assert (time.perf_counter() - began) / 200 < 0.01
