"""Every text of the dashboard and of figures has a French one with the same gaps, and none is left over."""

import ast
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from cli import freshness, wording
from cli.kpi import movement
from cli.kpi.catalogue import TREND
from cli.texts import french, said, speaking
from functions.kpi.catalog import load_definitions
from local.dashboard import changed_page, doubts, filters, kpi_page, overview, page, quality_page, refusals, shapes
from stockflow.settings import bundle_root

ROOT = Path(__file__).parents[3]
GAPS = re.compile(r"\{\w+\}|`[^`]+`")
THIN = "\u202f"
UNITS = {d.unit for d in load_definitions(str(bundle_root() / "functions" / "kpi" / "definitions")).values() if d.unit}
# Texts that are named in one place and said in another.
CHOSEN = {
    *wording.REASONS.values(), *wording.NOUNS, *(f"{noun}s" for noun in wording.NOUNS), wording.NO_VALUE,
    wording.UNCHANGED, " bn", *(f"{date(2026, month, 1):%b}" for month in range(1, 13)),
    *(f"{date(2026, 11, day):%a}" for day in range(1, 8)), *movement.WORDS.values(), *TREND, *page.CHIPS, page.NEXT,
    *filters.DIMENSIONS.values(), *filters.ALL.values(), *kpi_page.LIMITS.values(), *kpi_page.BETTER.values(),
    "neither higher nor lower", *kpi_page.BY.values(), *kpi_page.COUNTS, *movement.CALLED.values(),
    *movement.LINES.values(), *movement.BY.values(), movement.FROM_TO, movement.LATE,
    "location", "category", overview.NO_ROW, overview.GAPS, overview.WEEKS, shapes.UNKNOWN, "none", "all",
    *quality_page.LOADS.values(), *quality_page.QUARANTINE.values(), *quality_page.REJECTS.values(),
    *(text for what, _, then in quality_page.FIXES.values() for text in (what, then)), *quality_page.FIXES,
    quality_page.HOW_QUARANTINED, *quality_page.HEADS, *changed_page.HEADS,
    *(then for _, then in refusals.REPAIRS.values()), *refusals.HEADS,
    *doubts.HEADS, *(then for _, then in doubts.SETTLED.values()), doubts.AGAIN, *doubts.CHOSE.values(),
    "decimal mark", "date order",
    "loaded", "duplicate", *(freshness.OK, freshness.LATE, freshness.NEVER, freshness.UNSTATED),
    *(UNITS - {"EUR", "share"}), "SKUs in class A",
}  # fmt: skip


def literals() -> set[str]:
    """Return the texts that stand in a call of ``said``."""
    files = [*(ROOT / "local" / "dashboard").glob("*.py"), *(ROOT / "cli").rglob("*.py")]
    calls = [n for f in files for n in ast.walk(ast.parse(f.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
    said_with = [n.args[0] for n in calls if isinstance(n.func, ast.Name) and n.func.id == "said"]
    chosen = [c for a in said_with for c in ([a.body, a.orelse] if isinstance(a, ast.IfExp) else [a])]
    return {str(c.value) for c in chosen if isinstance(c, ast.Constant)}


def test_every_text_has_a_french_one_and_none_is_left_over() -> None:
    texts = literals() | CHOSEN
    assert sorted(texts - french().keys()) == []
    assert sorted(french().keys() - texts) == []


@pytest.mark.parametrize("english", french())
def test_a_translation_has_the_same_gaps(english: str) -> None:
    assert sorted(GAPS.findall(english)) == sorted(GAPS.findall(french()[english]))


def test_figures_are_written_as_the_french_write_them() -> None:
    with speaking("fr"):
        assert wording.figure(1_240_000.0, "EUR") == "1,24 M €"
        assert wording.figure(-20.0, "EUR") == "-20,0 €"
        assert wording.figure(9_870.4, "units") == f"9{THIN}870 unités"
        assert wording.figure(28.14, "days") == "28,1 jours"
        assert wording.figure(0.0345, "share") == "3,45 %"
        assert wording.change(-1.5, 20.0, "%") == "-1,5 pt"
        assert wording.change(0.0, 5.0, "EUR") == "inchangé"
        assert wording.signed(0.015, "share") == "+1,50 pt"
        assert wording.beyond("high", None, 5.5, "share") == "au-dessus de 550 %"
        assert wording.limit(4.5, "days") == "4,5 jours"


def test_days_and_times_are_french() -> None:
    now = datetime(2026, 10, 5, tzinfo=UTC)
    with speaking("fr"):
        assert wording.day(date(2026, 10, 5)) == "lun. 5 oct. 2026"
        assert wording.ago(now - timedelta(hours=3), now) == "il y a 3 h"
        assert wording.span(timedelta(days=9)) == "9 jours"
        assert wording.count(1200, "row") == f"1{THIN}200 lignes"
        assert wording.silences([(date(2026, 10, 5), date(2026, 10, 5), "stale")]) == (
            "Aucune valeur sur 1 jour : le dernier relevé de stock est trop ancien."
        )


def test_the_language_ends_with_its_block() -> None:
    with speaking("fr"):
        assert said("Overview") == "Vue d'ensemble"
    assert said("Overview") == "Overview"
