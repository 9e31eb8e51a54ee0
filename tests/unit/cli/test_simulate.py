"""The simulation of a busy hour: the same seed gives the same, and it breaks where the arithmetic says."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.cost import model as cost
from cli.main import app
from cli.simulate.command import markdown
from cli.simulate.model import Demand, limit, servers, simulate, times

PAGE = Path(__file__).parents[3] / "docs" / "scale.md"


def test_the_same_seed_gives_the_same() -> None:
    assert simulate(Demand(5_000)) == simulate(Demand(5_000))
    assert simulate(Demand(5_000)) != simulate(Demand(5_000, seed=2))


def test_one_file_waits_for_nothing_but_its_own_work() -> None:
    alone = simulate(Demand(1))
    least = sum(times()[stage]["seconds"] for stage in ("ingest", "validate", "transform", "kpi"))
    assert 0.4 * least < alone.p50 < 2 * least and alone.keeps_up


def test_drains_are_bounded_by_their_pauses_however_many_files_come() -> None:
    busy = simulate(Demand(200_000, feeds=2))
    assert busy.drains["kpi"] <= 3600 / 120 + 4 and busy.drains["transform"] <= 2 * (3600 / 20 + 4)


def test_it_breaks_where_a_stage_takes_less_than_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage ten times as slow breaks with a tenth of the files, which take a tenth of the time to simulate."""
    assert limit("validate", peak=4) == pytest.approx(servers("validate") / 4 * 86_400 / 4)
    monkeypatch.setitem(times(), "validate", {**times()["validate"], "seconds": 40.0})
    most = limit("validate", peak=4)
    assert most == pytest.approx(servers("validate") / 40 * 86_400 / 4)
    below, above = simulate(Demand(int(most * 0.5))), simulate(Demand(int(most * 1.6)))
    assert below.keeps_up and not above.keeps_up
    assert above.p99 > 3 * below.p99, "the queue grows all hour"


def test_service_times_are_those_of_the_costs() -> None:
    assert (
        times()["ingest"]["seconds"] == cost.INGEST_SECONDS and times()["validate"]["seconds"] == cost.VALIDATE_SECONDS
    )
    assert {s: times()[s]["seconds"] for s in cost.DRAIN_SECONDS} == cost.DRAIN_SECONDS
    assert all(stage["source"] for stage in times().values())


def test_the_page_holds_the_table() -> None:
    """``stockflow simulate --table`` is what docs/scale.md shows, and the limits that it names are computed."""
    page = PAGE.read_text()
    assert "\n".join(markdown()) in page
    for stage in ("ingest", "validate"):
        assert f"{limit(stage, 4.0):,.0f}" in page, stage


def test_what_is_not_above_zero_is_refused() -> None:
    answer = CliRunner().invoke(app, ["simulate", "--files-per-day", "0"])
    assert re.search("0 files, 10 feeds, peak 4: expected numbers above zero", str(answer.exception))
