"""The committed samples are what their generator makes; an independent reader agrees with their account."""

import gzip
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from scripts.make_samples import write
from tests.golden.books import Books, keep
from tests.golden.source import SAMPLES


@pytest.fixture(scope="module")
def books() -> Books:
    return keep()


@pytest.fixture(scope="module")
def plan() -> list[dict]:
    return yaml.safe_load((SAMPLES / "expected.yaml").read_text())["files"]


def _content(path: Path) -> object:
    """What a file says, whatever the version of the compressor that wrote it."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".parquet":
        return pq.read_table(path)
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return {name: book.read(name) for name in book.namelist()}
    return path.read_bytes()


def test_the_committed_samples_are_what_the_generator_makes(tmp_path: Path) -> None:
    made = {p.relative_to(tmp_path): _content(p) for p in write(tmp_path)}
    committed = {p.relative_to(SAMPLES): _content(p) for p in SAMPLES.rglob("*") if p.is_file()}
    assert made.keys() == committed.keys()
    assert [str(p) for p in made if made[p] != committed[p]] == []


def test_the_samples_are_small_enough_for_a_demo(plan: list[dict]) -> None:
    assert sum(p.stat().st_size for p in SAMPLES.rglob("*") if p.is_file()) < 2_000_000
    assert sum(entry.get("lines", 0) for entry in plan) < 15_000


def test_every_feed_and_format_is_there(plan: list[dict]) -> None:
    loaded = [entry for entry in plan if entry["end_state"] == "loaded"]
    contracts = {p.stem for p in (SAMPLES.parent / "contracts").glob("*.yaml")}
    assert {entry["feed"] for entry in loaded} == contracts
    endings = {entry["path"].rsplit(".", 1)[-1] for entry in loaded}
    assert endings == {"csv", "gz", "jsonl", "parquet", "txt", "xlsx"}


def test_every_end_state_is_there(plan: list[dict]) -> None:
    assert {e["end_state"] for e in plan} == {"loaded", "rejected", "duplicate_content", "ignored"}


def test_an_independent_reader_finds_the_same_lines_refused(books: Books, plan: list[dict]) -> None:
    for entry in (e for e in plan if e["end_state"] == "loaded"):
        account = books.accounts[entry["path"]]
        assert account.lines == entry["lines"], entry["path"]
        assert account.rejects == [r["line"] for r in entry["rejects"]], entry["path"]
        assert account.refused == [q["line"] for q in entry["quarantined"]], entry["path"]
        assert len(account.superseded) == entry["superseded"], entry["path"]
        assert account.current == entry["current"], entry["path"]


def test_every_line_is_accounted_for(books: Books) -> None:
    for account in books.accounts.values():
        kept = account.current + len(account.superseded)
        assert account.lines == len(account.rejects) + len(account.refused) + kept, account.path


def test_stock_and_movements_tell_the_same_story(books: Books) -> None:
    """Opening lots plus movements give the last balance, but for the lines that were refused on purpose."""
    moved: dict[tuple[str, str], int] = {}
    for row in books.current["stock_movements"]:
        place = (row["sku"], row["location_code"])
        moved[place] = moved.get(place, 0) + row["quantity"]
    last = {(r["sku"], r["location_code"]): r["on_hand"] for r in books.current["stock_snapshots"]
            if r["business_date"].isoformat() == "2026-10-11"}  # fmt: skip
    wrong = {place: (on_hand, moved.get(place, 0)) for place, on_hand in last.items() if on_hand != moved.get(place, 0)}
    assert len(wrong) <= 3, wrong


def test_the_orders_of_customers_show_each_case(books: Books) -> None:
    """Served in part, taken back by the customer, cancelled for want of stock, late, and not known yet."""
    lines = books.current["customer_orders"]
    assert any(0 < (line["shipped_quantity"] or 0) < line["ordered_quantity"] for line in lines)
    assert {"customer", "no_stock"} <= {line["cancel_reason"] for line in lines}
    assert any(line["shipped_date"] and (line["shipped_date"] - line["business_date"]).days > 2 for line in lines)
    assert any(line["shipped_quantity"] is None for line in lines)
    stores = [{line["order_number"] for line in lines if line["location_code"] == store} for store in ("LYO", "NA")]
    assert set.intersection(*stores), "both stores count from 1001"
