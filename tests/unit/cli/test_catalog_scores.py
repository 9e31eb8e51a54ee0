"""What the catalogue is told of each feed's quality: shares of a day's rows, and how fresh the feed is."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import dataplex_v1 as api
from google.protobuf.json_format import MessageToDict

from cli.catalog.command import export, publish
from stockflow.ledger import StageRecord
from stockflow.settings import bundle_root
from tests.support.local_warehouse import LocalServices, LocalWarehouse

NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)
KEY = "42.europe-west1.stockflow-quality"
TEMPLATE = bundle_root() / "terraform/schemas/quality-aspect.json"


@pytest.fixture(scope="module")
def ledger() -> LocalServices:
    """Sales of yesterday and today; of today's three files one is held, one has no rows."""
    found = LocalServices(LocalWarehouse(ledger=True), NOW)
    records = [
        *of_load("old", NOW - timedelta(hours=30), lines=10),
        *of_load("new", NOW - timedelta(hours=2), lines=100, rejects=1, quarantined=4),
        *of_load("held", NOW - timedelta(hours=1), "held", lines=100, quarantined=45),
        *of_load("bad", NOW, "rejected"),
    ]
    found.warehouse.record("load_stages", [r.row() for r in records])
    return found


@pytest.fixture
def asked(ledger: LocalServices, monkeypatch: pytest.MonkeyPatch) -> LocalServices:
    """The project that commands speak to."""
    monkeypatch.setenv("STOCKFLOW_CLI_PROJECT", "shop")
    monkeypatch.setattr("cli.target.services", lambda: ledger)
    return ledger


def of_load(name: str, at: datetime, state: str = "validated", **numbers: int) -> list[StageRecord]:
    """Return the records of ingest and validate of one file of sales."""
    lines, rejects = numbers.get("lines", 0), numbers.get("rejects", 0)
    common: dict[str, Any] = {"landed_at": at, "run_id": f"run {name}", "raw_run_id": f"run {name}"}
    counted: dict[str, Any] = {"lines": lines, "rows": lines - rejects, "rejects": rejects}
    judged = numbers.get("quarantined", 0)
    return [
        StageRecord(name, "sales", "ingest", "loaded", "v", at, at, "b", name, 1, **common, **counted),
        StageRecord(name, "sales", "validate", state, "v", at, at, "b", name, 1, quarantined=judged, **common),
    ]


@pytest.fixture
def told(asked: LocalServices, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The requests with scores that the command prints."""
    assert asked.warehouse.emulated
    publish("42", dry_run=True, quality=True, as_json=True)
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return [request for request in found if request["aspect_keys"] == [KEY]]


def scores(told: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is said of sales."""
    (request,) = (r for r in told if r["entry"]["name"].endswith("/datasets/inventory_curated/tables/sales"))
    found: dict[str, Any] = request["entry"]["aspects"][KEY]["data"]
    return found


def test_each_day_has_the_share_of_rows_that_went_on_and_of_those_that_did_not(told: list[dict[str, Any]]) -> None:
    """Of 200 records today: 95 loaded, 1 unreadable, 49 refused by a rule, 55 good ones in a file that is held."""
    today, yesterday = scores(told)["days"]
    assert today == {
        "day": "2026-09-30T00:00:00Z", "files": 3, "records": 200, "loaded_pct": 47.5, "unreadable_pct": 0.5,
        "quarantined_pct": 24.5, "held_back_pct": 27.5,
    }  # fmt: skip
    assert (yesterday["records"], yesterday["loaded_pct"]) == (10, 100)


def test_it_says_how_fresh_a_feed_is_when_it_was_asked(told: list[dict[str, Any]]) -> None:
    found = scores(told)
    assert found["measured_at"] == "2026-09-30T12:00:00Z" and found["newest_at"] == "2026-09-30T10:00:00Z"
    assert (found["age_hours"], found["freshness"]) == (2, "on time")


def test_a_feed_without_files_says_that(told: list[dict[str, Any]]) -> None:
    (products,) = (r for r in told if r["entry"]["name"].endswith("/tables/products"))
    said = products["entry"]["aspects"][KEY]["data"]
    assert said == {"measured_at": "2026-09-30T12:00:00Z", "freshness": "nothing yet", "days": []}


def test_each_request_is_what_the_api_takes(told: list[dict[str, Any]]) -> None:
    for request in told:
        read = api.UpdateEntryRequest.from_json(json.dumps(request))
        (aspect,) = api.UpdateEntryRequest.pb(read).entry.aspects.values()
        (said,) = request["entry"]["aspects"].values()
        assert list(read.aspect_keys) == [KEY] and MessageToDict(aspect)["data"] == said["data"]


def test_the_data_fits_the_aspect_type_of_terraform(told: list[dict[str, Any]]) -> None:
    """The type is one that the API reads, and holds each field with its type."""
    text = TEMPLATE.read_text(encoding="utf-8")
    api.AspectType.MetadataTemplate.from_json(text)
    (days,) = (f for f in json.loads(text)["recordFields"] if f["type"] == "array")
    of_feed = [r["entry"]["aspects"][KEY]["data"] for r in told]
    assert fits(json.loads(text), of_feed) and fits(
        days["arrayItems"], [day for said in of_feed for day in said["days"]]
    )


def fits(record: dict[str, Any], told: list[dict[str, Any]]) -> bool:
    """Whether each field of a record type is said somewhere, by values of its type, and nothing else is."""
    kinds: dict[str, Any] = {"string": str, "double": (int, float), "int": int, "datetime": str, "array": list,
                             "enum": str}  # fmt: skip
    fields = {field["name"]: kinds[field["type"]] for field in record["recordFields"]}
    assert {name for data in told for name in data} == fields.keys()
    return all(isinstance(value, fields[name]) for data in told for name, value in data.items())


def test_without_the_option_no_environment_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STOCKFLOW_CLI_PROJECT", "shop")
    export("42", as_json=True)
    assert KEY not in capsys.readouterr().out
