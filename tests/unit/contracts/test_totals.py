"""A line of totals is never a location: the rule of each contract knows how people write them."""

import re

import pytest

from tests.unit.ingest.reading import contracts

PATTERNS = {
    c.feed: r.kwargs["regex"] for c in contracts().values() for r in c.rules if r.id == "location_code_not_total"
}
TOTALS = [
    "TOTAL",
    "Grand Total",
    "SOUS-TOTAL",
    "Subtotal:",
    "Stores total",
    "ALL SHOPS TOTAL",
    "Nantes Total",
    "Total LYO",
]
TOTALS += ["Total général", "TOTAUX", "Somme", "SUM", "Summe", "* Total *", "LYO - Subtotal", "Totale negozi"]
LOCATIONS = ["LYO", "NA", "TOTALLY-BRICO", "TOTO", "SUMATRA", "SOMMIERES", "GESAMTSCHULE 4", "STOTAL1", "A-TOTALITE"]


@pytest.mark.parametrize("feed", sorted(PATTERNS))
@pytest.mark.parametrize("code", TOTALS)
def test_a_total_is_not_a_location(feed: str, code: str) -> None:
    assert re.search(PATTERNS[feed], code)


@pytest.mark.parametrize("feed", sorted(PATTERNS))
@pytest.mark.parametrize("code", LOCATIONS)
def test_a_location_is_not_taken_for_a_total(feed: str, code: str) -> None:
    assert not re.search(PATTERNS[feed], code)
