"""A run of chaos in this process: seeded traffic, faults, kills, replays; then peace, the sweep, and the check."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random

from functions.ingest.orphans import remove_orphans
from functions.ingest.sweep import sweep
from stockflow.events import announcement
from stockflow.services import Services
from tests.chaos.check import Findings, check
from tests.chaos.faults import Faults
from tests.chaos.patience import short_patience
from tests.chaos.post import Post
from tests.chaos.proxy import Proxy
from tests.chaos.traffic import Traffic
from tests.chaos.workshop import STAGES, Workshop

DEFINITIONS = Path(__file__).parent / "definitions"
REST_SECONDS = 300
KILL_RATE = 0.03
BACKLOG = 12
_FUNCTIONS = ("ingest", "validate", "transform", "kpi")


@dataclass
class Run:
    """One run, its parts, and how long it took."""

    seed: int
    calm: Services
    faults: Faults
    post: Post
    shop: Workshop
    traffic: Traffic
    proxies: list[Proxy]
    last: str = "kpi"
    started: float = field(default_factory=time.monotonic)

    def storm(
        self, faults: int, seconds: float, steps: int = 10_000, each: Callable[["Run"], None] = lambda run: None
    ) -> None:
        """Drop and replay while faults happen, until there were so many, or the time is over; then there are none.

        What is under way ends in peace: it alone would meet ten times as many. ``each`` is called after each step.
        """
        end = time.monotonic() + seconds
        with self.shop.open():
            while self._rages(faults, end) and steps:
                steps -= 1
                self._step()
                each(self)
                while self.post.backlog > BACKLOG and self._rages(faults, end):
                    time.sleep(0.05)  # files come no faster than they are worked off, give or take a backlog
            self.faults.enabled = False

    def _step(self) -> None:
        dice = self.traffic.dice
        landed = self.traffic.step()
        if landed is not None:
            self.post.accept(*announcement(landed.ref))
        if dice.random() < 0.03:
            self.post.replay(dice.choice(_FUNCTIONS), 20)
        if dice.random() < 0.03:
            self.post.accept(b"{}", {"event_type": "sweep.tick"})

    def _rages(self, faults: int, end: float) -> bool:
        return self.faults.total < faults and time.monotonic() < end

    def rest(self) -> Findings:
        """No faults any more: work off, sweep until nothing waits, and check."""
        self.faults.enabled = False
        self.shop.kill_rate = 0
        for instance in self.shop.instances:  # what was just computed is not computed again
            instance.settings = replace(instance.settings, replay_window_seconds=900)
        with self.shop.open():
            self._settle_down()
            remove_orphans(self.calm, old=timedelta(0))
        for one in self.traffic.landed:
            one.is_unheard = (one.ref.name, str(one.ref.generation)) in self.post.unheard
        return check(self.traffic.landed, self.calm, self.last)

    def _settle_down(self) -> None:
        end = time.monotonic() + REST_SECONDS
        calm = replace(self.calm)
        calm.__dict__["publisher"] = self.post
        while time.monotonic() < end:
            self.shop.work_off(end - time.monotonic())
            for proxy in self.proxies:
                proxy.show_late_rows()
            requeued = sweep(calm, stuck_after=timedelta(0))
            if not self._counts(requeued):
                return

    def _counts(self, requeued) -> int:  # type: ignore[no-untyped-def]
        return len(requeued.objects) + sum(row["stage"] in self.shop.work for row in requeued.loads)


@contextmanager
def in_process(
    calm: Services, seed: int, rate: float = 0.2, kill_rate: float = KILL_RATE, only: set[str] | None = None
) -> Iterator[Run]:
    """Yield a run against the emulators that ``calm`` talks to; all faults come from ``seed``."""
    faults = Faults(seed, rate)
    settings = replace(calm.settings, max_attempts=100_000, definitions_uri=str(DEFINITIONS))
    assert settings.bigquery_endpoint and settings.storage_endpoint
    with ExitStack() as running:
        running.enter_context(short_patience())
        warehouse = running.enter_context(Proxy(settings.bigquery_endpoint, faults).running())
        store = running.enter_context(Proxy(settings.storage_endpoint, faults).running())
        post = Post(settings, faults, Random(seed + 1), lost=0.02, twice=0.1)
        behind = replace(settings, bigquery_endpoint=warehouse.endpoint, storage_endpoint=store.endpoint)
        # Half of the instances take every event for a replay: they compute again what was just computed.
        windows = (900, 0)
        instances = [Services(replace(behind, replay_window_seconds=window)) for window in windows]
        for instance in instances:
            instance.__dict__["publisher"] = post
        work = {k: v for k, v in STAGES.items() if only is None or k in only}
        shop = Workshop(post, faults, instances, work, kill_rate)
        traffic = Traffic(Services(settings), Random(seed + 2))
        last = "kpi" if "kpi" in work else "ingest"
        yield Run(seed, Services(settings), faults, post, shop, traffic, [warehouse, store], last)
