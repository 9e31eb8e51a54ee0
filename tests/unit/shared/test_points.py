"""Named points: each is in the code once or more, and does what the environment asks for."""

import re
import signal
import subprocess
import sys
from collections import Counter

import pytest

from stockflow.points import POINTS, PointError, reached, watched
from stockflow.settings import bundle_root

FUNCTIONS = bundle_root() / "functions"


def test_the_code_reaches_exactly_the_points_that_are_named() -> None:
    used = {name for p in FUNCTIONS.rglob("*.py") for name in re.findall(r'reached\("([^"]+)"\)', p.read_text())}
    assert used == set(POINTS)


def test_nothing_happens_unless_asked() -> None:
    reached("ingest.staged")


def test_raise_happens_at_the_counted_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKFLOW_POINT", "ingest.staged:raise:2")
    reached("ingest.staged")
    reached("ingest.loaded")
    with pytest.raises(PointError, match=r"ingest\.staged"):
        reached("ingest.staged")
    reached("ingest.staged")


def test_any_point_counts_for_a_star(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKFLOW_POINT", "*:raise:3")
    reached("ingest.staged")
    reached("ingest.loaded")
    with pytest.raises(PointError):
        reached("ingest.recorded")


@pytest.mark.parametrize("action", ["SIGKILL", "SIGTERM"])
def test_a_signal_ends_the_process(action: str) -> None:
    code = "from stockflow.points import reached; reached('ingest.staged'); print('alive')"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"STOCKFLOW_POINT": f"ingest.staged:{action}"}, capture_output=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (-signal.Signals[action], b"")


@pytest.mark.parametrize("order", ["ingest.nowhere:raise", "ingest.staged:explode", "x"])
def test_an_order_that_means_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, order: str) -> None:
    monkeypatch.setenv("STOCKFLOW_POINT", order)
    with pytest.raises(ValueError, match="is not a valid"):
        reached("ingest.staged")


def test_a_watcher_sees_every_point() -> None:
    seen: Counter[str] = Counter()
    with watched(lambda point: seen.update([point])):
        reached("ingest.staged")
    reached("ingest.staged")
    assert seen == {"ingest.staged": 1}
