"""How long what is kept is said in one place, for each feed; what contradicts itself: `cli/test_contradictions.py`."""

from dataclasses import replace
from datetime import date
from typing import Any

from stockflow.contracts import Contract, load_contracts
from stockflow.retention import days_of, first_month, kept_of, limited
from stockflow.schema import pipeline
from stockflow.settings import bundle_root

CONTRACTS = load_contracts(bundle_root() / "contracts")
DAYS: dict[str, int] = pipeline()["retention"]


def stating(feed: str, **properties: Any) -> Contract:
    return replace(CONTRACTS[feed], properties={**CONTRACTS[feed].properties, **properties})


def test_a_contract_says_otherwise_for_its_feed_alone() -> None:
    contracts = {**CONTRACTS, "sales": stating("sales", keepRawDays=90, keepCuratedDays=800)}
    assert limited("raw", DAYS, contracts) == {"sales": 90} and limited("curated", DAYS, contracts) == {"sales": 800}
    said = {kept.where: (kept.days, kept.said_by) for kept in kept_of(DAYS, contracts["sales"])}
    assert said["inventory_raw.sales"] == (90, "contracts/sales.yaml, keepRawDays")
    assert said["inventory_curated.sales_history"] == (800, "contracts/sales.yaml, keepCuratedDays")


def test_what_the_pipeline_says_holds_for_facts_and_not_for_dimensions() -> None:
    days = {**DAYS, "curated": 1_000}
    assert days_of("curated", days, CONTRACTS["sales"]) == 1_000
    assert days_of("curated", days, CONTRACTS["products"]) == 0


def test_a_feed_whose_files_are_kept_for_longer_than_a_bucket_ends_with_the_bucket() -> None:
    """Given files of 90 days, then their staged copies end after the 60 days of all staged ones."""
    said = {kept.kind: (kept.days, kept.said_by) for kept in kept_of(DAYS, stating("sales", keepFilesDays=90))}
    assert said["landing"] == (90, "contracts/sales.yaml, keepFilesDays")
    assert said["staging"] == (60, "pipeline.yaml, retention.staging")


def test_a_month_ends_as_a_whole() -> None:
    assert first_month(400, date(2026, 11, 28)) == date(2025, 10, 1)
