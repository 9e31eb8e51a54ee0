"""What a control file states is compared with the data file beside it, whichever of the two comes first."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from typer.testing import CliRunner

from cli.main import app
from functions.ingest.beside import Statement, statements
from functions.ingest.control import Stated
from stockflow.events import ObjectRef
from stockflow.services import Services
from tests.integration.ingest_world import World, new_world, sales

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def world(services: Services) -> World:
    return new_world(services)


def data(receipt: str, count: int = 3) -> str:
    return sales(*(f"{receipt},{n},2026-09-01,A,LYO,1,10" for n in range(count)))


def landed(world: World, name: str, text: str | bytes) -> ObjectRef:
    ref = world.drop(name, text)
    world.ingest(ref)
    return ref


def both_landed(world: World, files: dict[str, tuple[str, str]], first: str) -> dict[str, ObjectRef]:
    """Land a data file and its control file (kind -> name and text), one of them first."""
    return {kind: landed(world, *files[kind]) for kind in sorted(files, key=lambda kind: kind != first)}


@pytest.mark.parametrize("first", ["data", "control"])
def test_a_file_with_fewer_rows_than_stated_is_rejected(world: World, first: str) -> None:
    name = f"sales/cut_{first}.csv"
    files = {"data": (name, data(f"C1{first}")), "control": (f"{name}.done", "5\n")}
    refs = both_landed(world, files, first)
    record = world.services.ledger.stages(refs["data"].load_id)["ingest"]
    assert (record.state, record.reason_code) == ("rejected", "control_count")
    assert all(w in (record.message or "") for w in (f"{name}.done", "states 5 rows", "found was 3"))
    assert (record.detail["stated"], record.detail["found"]) == ("5 rows", "3")
    assert world.state(refs["control"]) == ("ignored", "control_file")
    if first == "data":  # validate hears of it, and withdraws the load
        assert world.published(refs["data"], 3) == {"load.ingested": 2, "load.rejected": 1}


@pytest.mark.parametrize("control_first", [False, True])
@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_file_that_is_not_what_its_checksum_says_is_rejected(
    world: World, algorithm: str, control_first: bool
) -> None:
    for case, sent in (("good", data("S1")), ("bad", data("S2"))):
        name = f"{case}_{algorithm}_{control_first}.csv"
        body = f"{sent}#{name}\n" if case == "good" else sent
        checksum = hashlib.new(algorithm, body.encode() if case == "good" else b"other").hexdigest()
        files = [(f"sales/{name}", body), (f"sales/{algorithm.upper()}SUMS", f"{checksum} *{name}\n")]
        refs = {n: landed(world, n, text) for n, text in (files[::-1] if control_first else files)}
        state, code = world.state(refs[f"sales/{name}"])
        assert (state, code) == (("loaded", None) if case == "good" else ("rejected", "control_checksum"))


@pytest.mark.parametrize("said", ["rows=3", "4", "LINES: 4", "bytes=%d\nrecords: 3"])
def test_what_senders_count_is_understood(world: World, said: str) -> None:
    text = data(f"U{said[:1]}")
    name = f"sales/counted_{len(said)}.csv"
    ref = landed(world, name, text)
    landed(world, name.replace(".csv", ".ctl"), said.replace("%d", str(len(text))))
    assert world.state(ref) == ("loaded", None)


@pytest.mark.parametrize("first", ["data", "control"])
def test_a_count_that_may_include_the_header_is_said_of_the_load(world: World, first: str) -> None:
    name = f"sales/header_{first}.csv"
    files = {"data": (name, data(f"H{first}")), "control": (f"{name}.ctl", "rows=4")}
    refs = both_landed(world, files, first)
    record = world.services.ledger.stages(refs["data"].load_id)["ingest"]
    assert (record.state, record.rows) == ("loaded", 3)
    assert (record.detail["control_count"], record.detail["control_file"]) == (4, f"{name}.ctl")
    assert record.detail["control_counts"] == ["records and header", "lines"]
    told = 2 if first == "data" else 1  # validate judges the load again, which may be unlike those before it
    assert world.published(refs["data"], told) == {"load.ingested": told}
    world.ingest(refs["control"])
    assert world.services.ledger.stages(refs["data"].load_id)["ingest"].record_id == record.record_id


def test_a_count_without_a_doubt_is_recorded_of_a_later_control_file_alone(world: World) -> None:
    ref = landed(world, "sales/sure.csv", data("S0"))
    control = landed(world, "sales/sure.csv.ctl", "rows=3")
    detail = world.services.ledger.stages(control.load_id)["ingest"].detail
    assert (detail["about"], detail["about_load"]) == (ref.name, ref.load_id)
    assert detail["control_counts"] == ["records"]
    assert world.published(ref, 1) == {"load.ingested": 1}


def test_a_corrected_control_file_has_the_data_read_again(world: World) -> None:
    ref = landed(world, "sales/again.csv", data("A1"))
    landed(world, "sales/again.csv.ctl", "rows=9")
    assert world.state(ref) == ("rejected", "control_count")
    landed(world, "sales/again.csv.ctl", "rows=3")
    assert world.announcements.find(1, "objectGeneration", str(ref.generation))
    world.ingest(ref)
    assert world.state(ref) == ("loaded", None)
    assert len(world.raw(ref)) == 3


def test_a_control_file_for_the_next_delivery_of_a_name_leaves_the_last_one_alone(world: World) -> None:
    landed(world, "sales/daily.csv.ctl", "rows=3")
    first = landed(world, "sales/daily.csv", data("D1"))
    landed(world, "sales/daily.csv.ctl", "rows=5")
    assert world.state(first) == ("loaded", None)
    second = landed(world, "sales/daily.csv", data("D2", 5))
    assert world.state(second) == ("loaded", None)


def test_the_last_delivery_s_control_file_is_not_held_against_the_next_one(world: World) -> None:
    landed(world, "sales/nightly.csv", data("N1"))
    landed(world, "sales/nightly.csv.ctl", "rows=3")
    assert world.state(landed(world, "sales/nightly.csv", data("N2", 5))) == ("loaded", None)


@contextmanager
def listings(world: World) -> Iterator[list[str]]:
    """Collect the requests to Cloud Storage that list objects."""
    seen: list[str] = []
    hooks = world.services.object_store.client._http.hooks["response"]

    def note(response: requests.Response, **_: object) -> None:
        if urlsplit(response.url).path.endswith("/o") and response.request.method == "GET":
            seen.append(response.url)

    hooks.append(note)
    try:
        yield seen
    finally:
        hooks.remove(note)


@pytest.mark.parametrize("name", ["sales/alone.csv", "sales/2026/alone", "sales/l'été#1.csv.gz"])
def test_a_data_file_without_control_files_costs_one_listing(world: World, name: str) -> None:
    with listings(world) as seen:
        assert world.state(landed(world, name, data(f"L{len(name)}"))) == ("loaded", None)
    assert len(seen) == 1


def test_what_is_stated_of_files_with_similar_names_is_not_looked_at(world: World) -> None:
    """Names that sort between and around those under which a file's statements are kept."""
    for other in ("near.cst", "near.csv2", "near.d", "near-1", "near0", "nearer"):
        landed(world, f"sales/{other}.ctl", "rows=9")
    landed(world, "sales/near.ctl", "rows=3")
    landed(world, "sales/near.csv.done", "rows=3")
    ref = landed(world, "sales/near.csv", data("Q1"))
    assert world.state(ref) == ("loaded", None)
    kept = {s.object for s in statements(ref, world.services)}
    assert kept == {"sales/near.ctl", "sales/near.csv.done"}


def test_a_marker_without_content_is_told_by_its_size(world: World) -> None:
    assert world.state(landed(world, "sales/FINISHED", b"")) == ("ignored", "control_file")


def test_a_statement_is_kept_under_the_name_of_its_file(world: World) -> None:
    ref = landed(world, "sales/2026/kept.csv", data("K1"))
    control = landed(world, "sales/2026/kept.csv.ctl", "rows=3")
    place = Statement(Stated("kept.csv", 3), control.name, control.generation, control.created).place
    kept = world.services.object_store.read(world.services.settings.staging_bucket, place)
    assert str(ref.generation).encode() in kept


def test_a_file_of_no_feed_keeps_no_other_from_being_dropped(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``stockflow drop`` names the file whose feed nobody knows, and drops those before and after it."""
    files = [tmp_path / name for name in ("sales_first.csv", "autumn.csv", "sales_last.csv")]
    for number, file in enumerate(files):
        file.write_text(sales(f"R{number},1,2026-09-01,A,LYO,1,10"))
    monkeypatch.setattr("cli.target.services", lambda: world.services)
    said = CliRunner().invoke(app, ["drop", *map(str, files)])
    assert said.exit_code == 1 and f"{files[1]}: which feed is this?" in str(said.exception)
    store, bucket = world.services.object_store, world.services.settings.landing_bucket
    there = [store.stat(bucket, f"sales/{file.name}") is not None for file in (files[0], files[2])]
    assert there == [True, True]
