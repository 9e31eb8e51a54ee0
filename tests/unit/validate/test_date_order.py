"""Days and months that a file leaves open: what decides, and that nothing is decided silently."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.validate.earlier import clues_of, proved
from functions.validate.frame import Clues
from functions.validate.judge import judge
from functions.validate.outcome import Outcome, outcome
from stockflow.contracts import load_contracts
from stockflow.ledger import StageRecord
from tests.support.rows import Table, table

CONTRACT = load_contracts(Path(__file__).parents[3] / "contracts")["sales"]
LANDED = datetime(2026, 10, 12, 8, tzinfo=UTC)
NAMES = [c.name for c in CONTRACT.stated]


def ended(*days: str, clues: Clues | None = None, amount: str = "10.00", **properties: Any) -> Outcome:
    """Return how a file with sales on these days ends."""
    contract = replace(CONTRACT, properties={**CONTRACT.properties, **properties})
    sale = {"line_number": "1", "sku": "A", "location_code": "LYO", "quantity": "2", "net_amount": amount}
    rows = [{**sale, "receipt_number": f"T{n}", "business_date": day} for n, day in enumerate(days)]
    raw = table(contract, {c: [row.get(c) for row in rows] for c in NAMES}, len(rows))
    judgement, _ = judge(contract, Table(raw), LANDED, lambda _: None, clues)
    ingested = StageRecord("abc", "sales", "ingest", "loaded", "v", LANDED, LANDED, object="sales/x.csv")
    return outcome(contract, ingested, judgement, None)


def test_a_file_that_can_be_read_two_ways_is_held_with_both_readings() -> None:
    end = ended("06/05/2026", "07/05/2026")
    assert (end.state, end.reason_code) == ("held", "ambiguous_date_order")
    assert end.message is not None
    assert end.message.startswith("2 dates could be read two ways (")
    assert "06/05/2026 is 6 May 2026 or 5 June 2026" in end.message
    assert "`stockflow loads release abc` reads them with the day first" in end.message


@pytest.mark.parametrize(
    "days", [("06/05/2026", "13/05/2026"), ("2026-05-06",), ("05/05/2026",), ("06.05.2026",)], ids=" ".join
)
def test_values_that_prove_the_order_or_need_none_go_on(days: tuple[str, ...]) -> None:
    assert ended(*days).state == "validated"


def test_what_the_contract_states_for_certain_is_no_doubt() -> None:
    assert ended("06/05/2026", dateOrderCertain=True).state == "validated"


def test_the_name_a_decimal_comma_or_earlier_files_decide() -> None:
    ingested = StageRecord("abc", "sales", "ingest", "loaded", "v", LANDED, LANDED, object="sales/s_20260506.csv")
    named = clues_of(CONTRACT, ingested, None)  # type: ignore[arg-type]  # nothing is asked for
    assert ended("06/05/2026", clues=named).state == "validated"
    assert ended("06/05/2026", amount="10,00").state == "validated"
    assert ended("06/05/2026", clues=Clues(sender=lambda: {"date order": "mdy"})).state == "validated"


def test_earlier_files_count_when_their_values_or_a_person_decided() -> None:
    """Newest first; one that fell back on the default, or has the year first, says nothing of the order."""
    default = {"date_order": "dmy", "decimal_mark": ".", "decided_by": {"date order": "contract"}}
    iso = {"date_order": "ymd", "decimal_mark": ",", "decided_by": {"date order": "values", "decimal mark": "values"}}
    american = {"date_order": "mdy", "decimal_mark": ".", "decided_by": {"date order": "values"}}
    assert proved([default, iso, american]) == {"decimal mark": ",", "date order": "mdy"}
    assert proved([{**default, "decided": {"state": "validated"}}])["date order"] == "dmy"
    assert proved([{**default, "decided": {"state": "rejected"}}]) == {}
