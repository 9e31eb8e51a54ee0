"""What `stockflow try` finds without Great Expectations is what Great Expectations finds."""

from pathlib import Path

import numpy as np
import pytest

from cli.trial import rules
from functions.validate import expectations
from functions.validate.frame import Clues
from functions.validate.judge import Bench
from functions.validate.survey import Survey
from stockflow.contracts import load_contracts
from tests.support.rows import table
from tests.unit.validate.test_judge import LANDED

CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")
# Values on both sides of each rule, for whatever column they stand in.
VALUES = (
    None, "", "  ", "A-1", "a b", "EUR", "euro", "0", "-5", "3.25", "1e400", "0.000001", "1000", "1000.5", "100000000",
    "100000001", "1.2E+05", "2026-10-11", "1999-12-31", "2027-01-01", "2026-10-11T09:00:00Z", "open", "reçue", "sale",
    "4006381333931", "4006381333932", "Total", "NULL", "#N/A", "FR", "true", "é" * 70,
)  # fmt: skip


@pytest.mark.parametrize("feed", sorted(CONTRACTS))
def test_the_plain_rules_find_what_great_expectations_finds(feed: str) -> None:
    """Given each value beside each other one, both name the same rows for each rule."""
    contract, count = CONTRACTS[feed], 4 * len(VALUES)
    rng = np.random.default_rng(7)
    texts = {c.name: [VALUES[i] for i in rng.integers(0, len(VALUES), count)] for c in contract.stated}
    texts[contract.stated[0].name][: len(VALUES)] = VALUES
    batch = table(contract, texts, count).combine_chunks().to_batches()[0]
    frame = Bench(contract, Survey.of(contract, [batch], Clues()), LANDED).frame(batch)
    theirs, ours = expectations.failing(contract, frame), rules.failing(contract, frame)
    assert {rule: list(places) for rule, places in ours.items()} == {r: list(p) for r, p in theirs.items()}
    assert any(len(places) for places in ours.values())


def test_no_rule_of_a_contract_is_unknown() -> None:
    assert {feed: rules.unknown(c) for feed, c in CONTRACTS.items()} == {feed: [] for feed in CONTRACTS}
