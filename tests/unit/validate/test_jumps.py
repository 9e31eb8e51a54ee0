"""Exchange rates that jump hold their file: a decimal mark that moved, a rate quoted the other way round."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.validate.earlier import comparable_facts, known_rates
from functions.validate.judge import judge
from functions.validate.jumps import Rates
from functions.validate.model import Judgement
from functions.validate.outcome import Outcome, outcome
from stockflow.contracts import load_contracts
from stockflow.ledger import StageRecord
from tests.support.local_warehouse import LocalServices, LocalWarehouse
from tests.support.rows import Table, table

CONTRACT = load_contracts(Path(__file__).parents[3] / "contracts")["exchange_rates"]
NAMES = [c.name for c in CONTRACT.stated]
LANDED = datetime(2026, 10, 12, 8, tzinfo=UTC)
INGESTED = StageRecord(
    "abc", "exchange_rates", "ingest", "loaded", "v", LANDED, LANDED, object="exchange_rates/x.csv", generation=5,
    landed_at=LANDED,
)  # fmt: skip
YESTERDAY: Rates = {"USD": {date(2026, 10, 11): 0.92}}


def judged(*cells: str) -> Judgement:
    """Return the judgement of lines such as "2026-10-12 USD 0.92" or "2026-10-12 JPY 163.4 EUR"."""
    rows = [dict(zip(NAMES, cell.split(), strict=False)) for cell in cells]
    raw = table(CONTRACT, {c: [row.get(c) for row in rows] for c in NAMES}, len(rows))
    return judge(CONTRACT, Table(raw), LANDED, lambda _: None)[0]


def ended(*cells: str, known: Rates | None = None, **properties: Any) -> Outcome:
    """Return how a file with these lines ends."""
    contract = replace(CONTRACT, properties={**CONTRACT.properties, **properties})
    judgement = judged(*cells)
    judgement.known_rates = known or {}
    return outcome(contract, INGESTED, judgement, None)


def test_a_decimal_mark_that_moved_is_held_with_both_rates_and_the_way_out() -> None:
    """Ten times yesterday's rate."""
    end = ended("2026-10-12 USD 9.2", known=YESTERDAY)
    assert (end.state, end.reason_code) == ("held", "exchange_rate_jump")
    assert end.message is not None
    assert "USD from 0.92 (2026-10-11) to 9.2 (2026-10-12), 10 times. More than 1.1 times" in end.message
    assert "`stockflow loads release abc` takes the rates as they are" in end.message


@pytest.mark.parametrize(
    "cells",
    [
        ("2026-10-12 USD 1.087",),  # dollars for one euro, without saying so
        ("2026-10-12 USD 0.092",),  # down as well as up
        ("2026-10-12 CHF 1.05", "2026-10-13 CHF 10.5", "2026-10-14 CHF 1.05"),  # in the file itself
        ("2026-10-10 USD 1.087",),  # an older day than what is known
        ("2026-10-11 USD 1.087", "2026-10-12 USD 0.92"),  # yesterday's rate is restated
    ],
)
def test_each_of_these_is_held(cells: tuple[str, ...]) -> None:
    assert ended(*cells, known=YESTERDAY).state == "held"


@pytest.mark.parametrize(
    "cells",
    [
        ("2026-10-12 USD 1.01",),
        ("2026-10-12 USD 1.087 EUR",),  # it says how it is quoted
        ("2026-10-12 JPY 0.0061", "2026-10-12 GBP 1.15"),  # no rate before it
        ("2026-10-11 USD 9.2", "2026-10-11 USD 0.93"),  # of two lines of one day the later one counts
        ("2026-10-12 USD 9.2e7",),  # refused by its range: nothing is left that jumps
        ("2026-08-01 USD 2.9",),  # too long ago
    ],
)
def test_each_of_these_is_not(cells: tuple[str, ...]) -> None:
    assert ended(*cells, known=YESTERDAY).reason_code != "exchange_rate_jump"


def test_the_contract_sets_the_limit() -> None:
    """Or none."""
    assert ended("2026-10-12 USD 9.2", known=YESTERDAY, maxJump=10.5).state == "validated"
    assert ended("2026-10-12 USD 9.2", known=YESTERDAY, maxJump=None).state == "validated"


def test_what_a_person_released_stands() -> None:
    """When it is judged again."""
    judgement = judged("2026-10-12 USD 9.2")
    judgement.known_rates = YESTERDAY
    assert outcome(CONTRACT, INGESTED, judgement, {"state": "validated"}).state == "validated"


def test_the_ledger_knows_the_rates_of_earlier_loads() -> None:
    """Of any series; the load that landed last says what a day's rate is; a held one and a later one say nothing."""
    made = LocalWarehouse(ledger=True)

    def stated(load: str, hours: int, cells: str, state: str = "validated") -> None:
        at = LANDED + timedelta(hours=hours)
        said = replace(INGESTED, load_id=load, object=f"exchange_rates/{load}_{hours}.csv")
        row = {"record_id": load, "load_id": load, "feed": "exchange_rates", "stage": "validate", "state": state,
               "object": said.object, "generation": 1, "landed_at": at, "landed_on": at.date(), "finished_at": at,
               "detail": json.dumps(comparable_facts(said, judged(*cells.split(", "))))}  # fmt: skip
        made.record("load_stages", [row])

    stated("first", -50, "2026-10-09 USD 0.90, 2026-10-10 USD 0.91, 2026-10-10 CHF 1.05")
    stated("again", -40, "2026-10-10 USD 0.915")
    stated("next", -20, "2026-10-11 USD 0.92")
    stated("wrong", -10, "2026-10-12 USD 9.2", state="held")
    stated("later", 5, "2026-10-12 USD 0.93")
    assert known_rates(CONTRACT, INGESTED, LocalServices(made, LANDED)) == {
        "USD": {date(2026, 10, 10): 0.915, date(2026, 10, 11): 0.92}, "CHF": {date(2026, 10, 10): 1.05},
    }  # fmt: skip
