"""The bounded part of ``make chaos``: faults, kills, duplicates and replays; nothing is lost, nothing is doubled."""

import os
from pathlib import Path

import pytest

from functions.kpi import drain as kpi
from stockflow.events import announcement
from stockflow.points import POINTS, watched
from stockflow.services import Services
from tests.chaos.inprocess import Run, in_process
from tests.chaos.model import File, Line
from tests.chaos.processes import Storm
from tests.chaos.rig import rig
from tests.chaos.table import table

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1_200)]
SEED = 20_261
PLAIN = File("sales/plain.csv", (Line("R1", 5), Line("R2", 6, "refused"), Line("R3", 7, "unreadable")))


def test_a_plain_file_reaches_every_point(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its refused and unreadable lines are where they belong, also when the first drain of kpi has no time."""
    seen: set[str] = set()
    monkeypatch.setattr(kpi, "BUDGET_SECONDS", -1.0)

    def note(point: str) -> None:
        seen.add(point)
        if point == "kpi.put_off":
            monkeypatch.undo()

    with in_process(services, SEED, rate=0, kill_rate=0) as run, watched(note):
        run.post.lost = run.post.twice = 0
        run.traffic.drop(PLAIN)
        found = run.rest()  # no event: the sweep finds the file
        assert found.hold, found
        _lose_the_events_of_another(run)
    assert set(POINTS) - seen == set()


def _lose_the_events_of_another(run: Run) -> None:
    """A load that is in raw and that nobody heard of: the sweep asks for it."""
    landed = run.traffic.drop(File("sales/unheard.csv", (Line("R4", 8),)))
    run.post.accept(*announcement(landed.ref))
    run.faults.enabled, run.post.lost = True, 1.0
    with run.shop.open():
        assert run.shop.work_off(120)
    found = run.rest()
    assert found.hold, found


def test_faults_and_kills_lose_nothing_and_double_nothing(services: Services) -> None:
    with in_process(services, SEED + 1, rate=0.35, kill_rate=0.05) as run:
        run.storm(faults=400, seconds=120, steps=60)
        found = run.rest()
        print(table("in this process", SEED + 1, run.faults.counts, run.shop.killed, found, 0))
        assert found.hold, found
        assert not run.shop.unexpected
        assert run.faults.total > 200


@pytest.mark.skipif(
    "CHAOS_REAL" not in os.environ, reason="real processes take minutes: `make chaos`, or CHAOS_REAL=1 with this test"
)
def test_real_processes_that_are_killed_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    with rig(tmp_path, SEED + 2, rate=0.1) as made:
        storm = Storm(made, SEED + 2)
        storm.rage(faults=60, seconds=45, files=10)
        found = storm.rest()
        print(table("real processes", SEED + 2, made.faults.counts, made.killed, found, 0))
        assert found.hold, found
        assert sum(made.killed.values()) > 0
