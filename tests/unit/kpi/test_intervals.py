"""KPIs that rest: which, until when; and what pipeline.yaml says of them."""

from datetime import UTC, date, datetime, timedelta

from functions.kpi.catalog import load_definitions
from functions.kpi.dates import Span
from functions.kpi.intervals import resting
from functions.kpi.state import State
from stockflow.schema import pipeline
from stockflow.services import Services
from stockflow.settings import Settings, bundle_root

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SPAN = Span(date(2026, 11, 1), date(2026, 11, 2))


def test_a_kpi_rests_until_its_interval_after_its_last_run_is_over() -> None:
    services = Services(Settings("p", kpi_interval_seconds='{"slow": 300, "old": 300, "never_run": 300}'), lambda: NOW)
    ended = {"slow": NOW - timedelta(seconds=299), "old": NOW - timedelta(seconds=300), "free": NOW}
    found = resting(State({"all": SPAN}, computed_at=ended), services)
    assert found == {"slow": NOW + timedelta(seconds=1)}


def test_nothing_rests_without_the_setting() -> None:
    state = State({"all": SPAN}, computed_at={"any": NOW})
    assert resting(state, Services(Settings("p"), lambda: NOW)) == {}


def test_the_intervals_name_definitions_and_end_before_the_backlog_alert() -> None:
    """The sweep's ten minutes and an interval are over when the goal of fifteen minutes is."""
    intervals = pipeline()["functions"]["kpi"]["kpi_interval_seconds"]
    known = load_definitions(str(bundle_root() / "functions/kpi/definitions"))
    assert intervals.keys() <= known.keys()
    assert all(0 < seconds <= 300 for seconds in intervals.values())
