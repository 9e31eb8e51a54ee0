"""A run of chaos with real processes: traffic, faults, SIGKILL and SIGTERM, seeks; then peace and the check."""

import time
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from functions.ingest.orphans import remove_orphans
from functions.ingest.sweep import sweep
from local.state import FUNCTIONS
from stockflow.events import RECEIPTS_TICK, TICK, encode
from tests.chaos.check import Findings, check
from tests.chaos.rig import Rig
from tests.chaos.traffic import Traffic

REST_SECONDS = 600
BACKLOG = 25
LIFE_SECONDS = 15


@dataclass
class Storm:
    """What happens to one rig."""

    rig: Rig
    seed: int
    last: str = "kpi"

    def __post_init__(self) -> None:
        self.traffic = Traffic(self.rig.calm, Random(self.seed + 2), folder="processes/")
        self._dice = Random(self.seed + 4)
        self._healthy: dict[str, tuple[float, float]] = {}

    def rage(self, faults: int, seconds: float, files: int = 10_000) -> None:
        """Drop files while faults happen, until there were so many, or the time is over."""
        end = time.monotonic() + seconds
        while self.rig.faults.total < faults and time.monotonic() < end:
            if len(self.traffic.landed) < files and self.rig.undelivered() < BACKLOG:
                self.traffic.step()
            self._strike()
            time.sleep(0.2)
            self.rig.count_deaths()

    def _strike(self) -> None:
        name, luck = self._dice.choice(FUNCTIONS), self._dice.random()
        if luck < 0.06 and self._worked_for(name) > LIFE_SECONDS:
            self.rig.kill(name) if luck < 0.03 else self.rig.terminate(name)
        elif 0.06 < luck < 0.07:
            self.rig.replay(name)
        elif 0.07 < luck < 0.08:
            for tick in (TICK, RECEIPTS_TICK):
                self.rig.calm.publisher.publish(self.rig.calm.settings.events_topic, *encode(tick))

    def _worked_for(self, name: str) -> float:
        """Return for how many seconds a function answers; one that is killed while it starts never works."""
        if name not in self._healthy and self.rig.processes[name].part.healthy():
            self._healthy[name] = (self.rig.processes[name].status.since, time.monotonic())
        since, at = self._healthy.get(name, (0.0, time.monotonic()))
        if since != self.rig.processes[name].status.since:
            self._healthy.pop(name, None)
            return 0.0
        return time.monotonic() - at

    def rest(self) -> Findings:
        """No faults, no kills any more: sweep until nothing waits, and check."""
        self.rig.count_deaths()
        self.rig.faults.enabled = False
        for name in FUNCTIONS:
            self.rig.stop(name)
            self.rig.start(name, deadly=False)
        self.rig.await_healthy()
        self._settle_down(time.monotonic() + REST_SECONDS)
        remove_orphans(self.rig.calm, old=timedelta(0))
        return check(self.traffic.landed, self.rig.calm, self.last)

    def _settle_down(self, end: float) -> None:
        while time.monotonic() < end:
            while self.rig.undelivered() and time.monotonic() < end:
                time.sleep(0.3)
            for proxy in self.rig.warehouses.values():
                proxy.show_late_rows()
            if not sweep(self.rig.calm, stuck_after=timedelta(0)).total:
                return
