"""What the catalogue would be told is what its API takes, and what Terraform's aspect types hold."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import typer
from google.cloud import dataplex_v1 as api

from cli.catalog.command import export, publish
from cli.output import CommandError
from functions.kpi.catalog import load_definitions
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root

ROOT = bundle_root()
KINDS: dict[str, Any] = {"string": str, "double": (int, float), "int": int}


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What the command prints for a project with a prefix."""
    monkeypatch.setenv("STOCKFLOW_CLI_PROJECT", "shop")
    monkeypatch.setenv("STOCKFLOW_DATASET_PREFIX", "dev_")
    export("42", as_json=True)
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_each_request_is_what_the_api_takes(requests: list[dict[str, Any]]) -> None:
    for request in requests:
        read = api.UpdateEntryRequest.from_json(json.dumps(request))
        assert list(read.entry.aspects) == list(read.aspect_keys) and read.update_mask.paths == ["aspects"]
        (aspect,) = read.entry.aspects.values()
        (said,) = request["entry"]["aspects"].values()
        assert dict(aspect.data) == said["data"]


def test_the_data_fits_the_aspect_types_of_terraform(requests: list[dict[str, Any]]) -> None:
    for kind in ("contract", "kpi"):
        template = json.loads((ROOT / f"terraform/schemas/{kind}-aspect.json").read_text(encoding="utf-8"))
        fields = {field["name"]: KINDS[field["type"]] for field in template["recordFields"]}
        key = f"42.europe-west1.stockflow-{kind}"
        told = [r["entry"]["aspects"][key]["data"] for r in requests if key in r["entry"]["aspects"]]
        assert told and {name for data in told for name in data} == fields.keys()
        assert [d for data in told for d in data.items() if not isinstance(d[1], fields[d[0]])] == []


def test_every_table_of_a_feed_and_of_a_kpi_is_told(requests: list[dict[str, Any]]) -> None:
    names = {r["entry"]["name"].partition("/datasets/")[2] for r in requests}
    feeds = load_contracts(ROOT / "contracts")
    kpis = load_definitions(str(ROOT / "functions/kpi/definitions"))
    wanted = {f"dev_inventory_kpi/tables/{name}" for name in kpis} | {f"dev_inventory_raw/tables/{f}" for f in feeds}
    wanted |= {f"dev_inventory_curated/tables/{f}{ending}" for f in feeds for ending in ("", "_history")}
    assert names == wanted
    one = next(r["entry"] for r in requests if r["entry"]["name"].endswith("/gmroi"))
    assert one["name"] == (
        "projects/42/locations/europe-west1/entryGroups/@bigquery/entries/bigquery.googleapis.com/projects/shop/"
        "datasets/dev_inventory_kpi/tables/gmroi"
    )


def test_it_needs_a_project_and_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STOCKFLOW_CLI_PROJECT", raising=False)
    with pytest.raises(CommandError, match="--project PROJECT"):
        export("42")
    with pytest.raises(CommandError, match="'shop' is not a project's number"):
        export("shop")


class Dataplex:
    """The REST API of Dataplex, as far as it is asked: it reads each request by the API's own types.

    ``answers`` are given first, one a request.
    """

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.updated: list[api.UpdateEntryRequest] = []

    def patch(self, path: str, body: bytes) -> int:
        """Take a request; return the status of the answer."""
        if self.answers and (status := self.answers.pop(0)) != 200:
            return status
        place = urlsplit(path)
        asked = parse_qs(place.query)
        entry = {**json.loads(body), "name": unquote(place.path.removeprefix("/v1/"))}
        stated = {"entry": entry, "updateMask": asked["updateMask"][0], "aspectKeys": asked["aspectKeys"]}
        self.updated.append(api.UpdateEntryRequest.from_json(json.dumps(stated)))
        return 200


@pytest.fixture
def dataplex(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dataplex]:
    """A server on this machine that the command sends to, in the place of Google's."""
    found = Dataplex()

    class Handler(BaseHTTPRequestHandler):
        def do_PATCH(self) -> None:
            status = found.patch(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            said = json.dumps({"error": {"message": "as the test wants it"}}).encode() if status != 200 else b"{}"
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("STOCKFLOW_DATAPLEX_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("STOCKFLOW_CLI_PROJECT", "shop")
    monkeypatch.setenv("STOCKFLOW_DATASET_PREFIX", "dev_")
    yield found
    server.shutdown()
    server.server_close()


def test_publish_sends_what_export_prints(dataplex: Dataplex, requests: list[dict[str, Any]]) -> None:
    publish("42")
    sent = [api.UpdateEntryRequest.to_dict(request) for request in dataplex.updated]
    wanted = [api.UpdateEntryRequest.from_json(json.dumps(request)) for request in requests]
    assert sent == [api.UpdateEntryRequest.to_dict(request) for request in wanted]


def test_a_dry_run_sends_nothing(dataplex: Dataplex) -> None:
    publish("42", dry_run=True)
    assert dataplex.updated == []


def test_what_the_api_cannot_do_now_is_sent_again(
    dataplex: Dataplex, requests: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.catalog.publish.PAUSE", 0.0)
    dataplex.answers = [503, 429]
    publish("42")
    assert len(dataplex.updated) == len(requests)


def test_a_table_that_is_not_there_is_named_and_a_refusal_ends_in_an_error(
    dataplex: Dataplex, capsys: pytest.CaptureFixture[str]
) -> None:
    dataplex.answers = [404]
    publish("42", as_json=True)
    assert json.loads(capsys.readouterr().out)["counts"]["missing"] == 1
    dataplex.answers = [403]
    with pytest.raises(typer.Exit):
        publish("42", as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["counts"]["refused"] == 1
    assert said["tables"][0]["message"] == "HTTP 403 as the test wants it"


def test_without_credentials_it_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STOCKFLOW_CLI_PROJECT", "shop")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    with pytest.raises(CommandError, match="gcloud auth application-default login"):
        publish("42")
