"""A changed definition beside the published one: the cells that change are drawn, largest first."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import target
from cli.kpi import chart
from cli.main import app
from stockflow.settings import bundle_root
from tests.support.corner_shop import corner_shop

DEFINITION = bundle_root() / "functions" / "kpi" / "definitions" / "net_sales.sql"


def test_bars_stand_to_the_left_of_what_falls_and_to_the_right_of_what_rises() -> None:
    drawn = chart.changes([("Lyon", -40.0), ("Paris", 20.0), ("Nantes", 0.1), ("Nice", -0.1)], "units", 4)
    assert drawn.splitlines() == [
        "Lyon    ████│     -40 units",
        "Paris       │██   +20 units",
        "Nantes      │▏    +0.10 units",
        "Nice       ▕│     -0.10 units",
    ]  # fmt: skip


def test_without_a_change_nothing_is_drawn() -> None:
    assert chart.changes([], "units") == ""


def test_the_cells_that_change_are_drawn_largest_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Twice the amount: 48 euros more at Lyon on the third day, 24 more at Paris."""
    shop = corner_shop()
    monkeypatch.setattr(target, "services", lambda: shop)
    text = DEFINITION.read_text(encoding="utf-8").replace("net_sales AS value", "2 * net_sales AS value")
    changed = tmp_path / "net_sales.sql"
    changed.write_text(text.replace("location_code: P1, value: 12", "location_code: P1, value: 24"), encoding="utf-8")
    done = CliRunner().invoke(app, ["kpi", "diff", str(changed), "--from", "2026-09-01", "--to", "2026-09-03"])
    assert done.exit_code == 0, done.output + str(done.exception)
    bars = [line for line in done.output.splitlines() if "│" in line and "█" in line]
    assert bars[0].startswith("2026-09-03 A LYO") and bars[0].endswith("+€48.0"), done.output
    assert bars[1].startswith("2026-09-03 A PAR") and bars[1].endswith("+€24.0")
    assert bars[0].count("█") == 2 * bars[1].count("█")
