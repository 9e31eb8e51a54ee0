"""The catalogue's pages of a feed: sample values without personal data, and how the files of each day ended."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.catalog.measured import Day, Measured, measured
from cli.catalog.pages import NOT_ASKED, PERSONAL, pages, quality, sample_values
from stockflow.contracts import load_contracts
from stockflow.ledger import StageRecord
from stockflow.settings import bundle_root
from tests.support.local_warehouse import LocalServices, LocalWarehouse

NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)
TODAY = NOW.date()
SUPPLIERS = load_contracts(bundle_root() / "contracts")["suppliers"]
MAIL = "anna.schmidt@example.org"


@pytest.fixture(scope="module")
def services() -> LocalServices:
    """Three files of suppliers today, one of them held, one rejected, and a good one yesterday."""
    found = LocalServices(LocalWarehouse(ledger=True), NOW)
    records = [
        *of_load("old", NOW - timedelta(days=1), lines=10, rejects=0, quarantined=5),
        *of_load("new", NOW, lines=100, rejects=1, quarantined=2),
        *of_load("held", NOW + timedelta(minutes=1), "held", lines=100),
        *of_load("bad", NOW, "rejected", lines=0),
    ]
    found.warehouse.record("load_stages", [r.row() for r in records])
    rows = [raw("new", n, supplier_code=f"S{n % 5}", email=MAIL, name="A | <b>`x`") for n in range(1, 20)]
    found.warehouse.raw("suppliers", [*rows, raw("held", 1, supplier_code="HELD"), raw("old", 1, supplier_code="OLD")])
    return found


def of_load(name: str, at: datetime, state: str = "validated", **numbers: Any) -> list[StageRecord]:
    """Return the records of ingest and validate."""
    common: dict[str, Any] = {"landed_at": at, "run_id": f"run {name}", "raw_run_id": f"run {name}"}
    judged = numbers.pop("quarantined", 0)
    return [
        StageRecord(name, "suppliers", "ingest", "loaded", "v", at, at, "b", name, 1, **common, **numbers),
        StageRecord(name, "suppliers", "validate", state, "v", at, at, "b", name, 1, quarantined=judged, **common),
    ]


def raw(load: str, row: int, **values: str) -> dict[str, Any]:
    """Return a raw row."""
    day = TODAY - timedelta(days=load == "old")
    return {"_load_id": load, "_run_id": f"run {load}", "_row": row, "_line": row, "_landed_on": day, **values}


def test_values_are_of_the_newest_file_that_was_let_through(services: LocalServices) -> None:
    assert measured(services)["suppliers"].samples["supplier_code"] == ["S1", "S2", "S3"]


def test_no_column_with_personal_data_is_asked_for_or_shown(services: LocalServices) -> None:
    known = measured(services)["suppliers"]
    personal = {c.name for c in SUPPLIERS.stated if c.pii}
    assert personal and not personal & set(known.samples)
    page = "\n".join(sample_values(SUPPLIERS, known))
    assert MAIL not in page and page.count(PERSONAL) == len(personal)


def test_a_value_is_text_whatever_signs_are_in_it(services: LocalServices) -> None:
    shown = sample_values(SUPPLIERS, measured(services)["suppliers"])
    (line,) = (x for x in shown if x.startswith("| `name`"))
    assert line == "| `name` | `A \\| &lt;b>'x'` |"


def test_each_day_has_its_share_of_refused_rows_and_what_needs_somebody(services: LocalServices) -> None:
    today, yesterday = measured(services)["suppliers"].days
    assert today == Day(TODAY, files=3, records=200, refused=3, held=1, failed=0, rejected=1)
    assert yesterday.share == 0.5
    assert f"| {TODAY} | 3 | 200 | 3 | 1.50% | 1 | 1 | 0 |" in quality(Measured(days=[today]))


def test_a_feed_without_files_says_so(services: LocalServices) -> None:
    known = measured(services)["products"]
    assert sample_values(SUPPLIERS, known) == ["No file was let through in the last 30 days."]
    assert quality(known) == ["No file landed in the last 30 days."]


def test_pages_say_that_no_environment_was_asked() -> None:
    assert pages()["sales.md"].count(NOT_ASKED) == 2
