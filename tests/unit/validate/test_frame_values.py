"""What a batch holds once its cells are typed: words for "no value", moments in UTC, amounts with their currency."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from functions.validate.frame import BAD, GIVEN, Typer
from functions.validate.survey import Survey
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root
from tests.support.rows import Table, table

CONTRACTS = load_contracts(bundle_root() / "contracts")


def batch(feed: str, **columns: list[str | None]) -> pd.DataFrame:
    """Return the typed batch of some columns of raw text."""
    contract = CONTRACTS[feed]
    rows = len(next(iter(columns.values())))
    texts: dict[str, Any] = {c.name: columns.get(c.name, [None] * rows) for c in contract.stated}
    (raw,) = Table(table(contract, texts, rows)).pieces(list(texts))
    return Typer(contract, Survey.of(contract, [raw]).formats, texts).frame(raw)


@pytest.mark.parametrize(
    ("feed", "column"),
    [("stock_snapshots", "committed"), ("stock_snapshots", "unit_cost"), ("stock_snapshots", "currency"),
     ("purchase_orders", "received_date"), ("purchase_orders", "status"), ("locations", "updated_at")],
)  # fmt: skip
def test_no_value_in_words_is_blank_and_no_fault(feed: str, column: str) -> None:
    """As databases and people write it, in numbers, dates and closed vocabularies."""
    cells: list[str | None] = ["NULL", "\\N", "n/a", "-"]
    frame = batch(feed, **{column: cells})
    assert frame[column].isna().all()
    assert frame.get(f"{column}_type{BAD}", pd.Series(dtype=object)).isna().all()


def test_a_blank_in_words_is_not_zero_and_not_given() -> None:
    """A required quantity without a value is refused."""
    frame = batch("sales", quantity=["NULL", "0"])
    assert frame[f"quantity{GIVEN}"].tolist()[1] == 1 and pd.isna(frame[f"quantity{GIVEN}"][0])


def test_words_stay_in_codes_and_names() -> None:
    """NA may be Nantes, and somebody may be called None."""
    frame = batch("locations", location_code=["NA"], name=["None"], country=["NA"])
    assert frame[["location_code", "name", "country"]].iloc[0].tolist() == ["NA", "None", "NA"]


def test_an_erps_empty_date_is_empty() -> None:
    """The lowest day of a database in an optional column."""
    frame = batch("purchase_orders", received_date=["01/01/1753", "1900-01-01T00:00:00Z", "13/10/2026"])
    assert frame["received_date"].isna().tolist() == [True, True, False]
    assert frame[f"received_date_type{BAD}"].isna().all()


def test_times_are_those_of_the_feeds_place() -> None:
    """Paris by default: a local midnight in UTC is the day that begins, a local time is two hours from UTC."""
    frame = batch("sales", business_date=["2026-09-14T22:00:00Z"], sold_at=["2026-09-15 10:00"])
    assert frame["business_date"][0] == pd.Timestamp("2026-09-15")
    assert frame["sold_at"][0] == pd.Timestamp(datetime(2026, 9, 15, 8, tzinfo=UTC)).tz_localize(None)


def test_an_amount_may_carry_its_currency_and_a_quantity_may_not() -> None:
    """12,50 € is a price; a quantity in euros is a shifted column."""
    frame = batch("sales", net_amount=["12,50 €"], quantity=["12 €"])
    assert frame["net_amount"][0] == 12.5
    assert frame[f"quantity_type{BAD}"][0] == 1
