"""The four functions as real processes behind fault proxies: killed at points and at any time, and started again."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from google.cloud import pubsub_v1

from cli import provision
from local import parts
from local.environment import variables
from local.process import Process, signal_group
from local.state import FUNCTIONS, Stack, open_stack
from stockflow.points import VARIABLE
from stockflow.schema import pipeline
from stockflow.services import Services
from stockflow.settings import Settings
from stockflow.waiting import wait_until
from tests.chaos.faults import Faults
from tests.chaos.grpc_proxy import grpc_proxy
from tests.chaos.proxy import Proxy
from tests.support.stack import environment, started, undelivered

DEFINITIONS = Path(__file__).parent / "definitions"
START_SECONDS = 180
# One KPI, no load given up, and what is delivered again after 20 s is computed again.
HASTY = {
    "STOCKFLOW_DEFINITIONS_URI": str(DEFINITIONS),
    "STOCKFLOW_MAX_ATTEMPTS": "100000",
    "STOCKFLOW_REPLAY_WINDOW_SECONDS": "20",
    "STOCKFLOW_SWEEP_AFTER_SECONDS": "5",
}
_BACKOFF = {"minimum_backoff": {"seconds": 0, "nanos": 200_000_000}, "maximum_backoff": {"seconds": 3}}


@dataclass
class Rig:
    """Emulators, proxies and function processes of one run. ``warehouses`` count each function's requests."""

    stack: Stack
    calm: Services
    faults: Faults
    dice: Random
    warehouses: dict[str, Proxy]
    pushes: dict[str, Proxy]
    env: dict[str, dict[str, str]]
    processes: dict[str, Process] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)

    def start(self, name: str, deadly: bool) -> None:
        """Start a function; a deadly one kills its worker at the n-th point, and so does each worker after that."""
        part = parts.function(self.stack, name)
        extra = dict(self.env[name])
        if deadly:
            extra[VARIABLE] = f"*:{self.dice.choice(('SIGKILL', 'SIGKILL', 'SIGTERM'))}:{self.dice.randint(6, 25)}"
        self.processes[name] = Process(replace(part, env={**part.env, **extra}), self.stack)
        self.processes[name].start()

    def stop(self, name: str) -> None:
        """Stop a function."""
        self.processes[name].stop()
        self.processes[name].finish(time.monotonic() + 10)

    def await_healthy(self) -> None:
        """Wait until every function answers."""
        for name, process in self.processes.items():
            if not wait_until(process.part.healthy, START_SECONDS, 0.2):
                raise RuntimeError(f"{name} did not start:\n{process.last_lines()}")

    def kill(self, name: str) -> None:
        """Kill a function with all its processes at whatever it is doing, and start it again."""
        pid = self.processes[name].status.pid
        assert pid is not None
        signal_group(pid, signal.SIGKILL)
        self.killed["SIGKILL of a function at any time"] += 1
        self.faults.count("SIGKILL (process)")
        self.start(name, deadly=True)

    def terminate(self, name: str) -> None:
        """Ask the worker of a function to end, as Cloud Run does when it takes an instance away."""
        pid = self.processes[name].status.pid
        for child in _children(pid or 0):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
                self.killed["SIGTERM of a worker at any time"] += 1
                self.faults.count("SIGTERM (process)")

    def count_deaths(self) -> None:
        """Count the workers that died at a named point: their master says so in the log."""
        for name in FUNCTIONS:
            text = self.stack.log(name).read_text(errors="replace") if self.stack.log(name).exists() else ""
            self.killed[f"SIGKILL of a {name} worker at a point"] = text.count("was sent SIGKILL")
        self.faults.counts["SIGKILL (worker at a point)"] = sum(n for k, n in self.killed.items() if "at a point" in k)

    def replay(self, name: str) -> None:
        """Deliver all events of a function again."""
        request = {"subscription": self._subscription(name), "time": {"seconds": 1}}
        pubsub_v1.SubscriberClient().seek(request=request)
        self.faults.count("seek (all events of a function)")

    def undelivered(self) -> int:
        """Return how many events the functions have not acknowledged yet."""
        return undelivered(self.stack, self.calm.settings.topic_prefix)

    def _subscription(self, name: str) -> str:
        return f"projects/{self.stack.project}/subscriptions/{self.calm.settings.topic_prefix}{name}"


def _children(pid: int) -> list[int]:
    with suppress(FileNotFoundError):
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


@contextmanager
def own_environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables; those of another environment, such as the prefixes of a test module's, are hidden meanwhile."""
    foreign = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("STOCKFLOW_")}
    try:
        with environment(values):
            yield
    finally:
        os.environ.update(foreign)


@contextmanager
def rig(
    folder: Path, seed: int, rate: float, extra: Mapping[str, str] = HASTY, warehouse: type[Proxy] = Proxy
) -> Iterator[Rig]:
    """Start emulators, proxies and (deadly) functions below ``folder``; stop them at the end.

    ``extra`` are variables of the functions; with a rate of 0 there are neither faults nor kills. ``warehouse`` is the
    kind of proxy between each function and BigQuery.
    """
    stack, faults = open_stack(folder), Faults(seed, rate)
    with ExitStack() as running:
        for part in (parts.pubsub(stack), parts.bigquery(stack), parts.storage(stack)):
            running.enter_context(started(part, stack, START_SECONDS))
        running.enter_context(own_environment({**variables(stack), **extra}))
        calm = Services(Settings.from_env())
        provision.topics(calm.settings)
        provision.buckets(calm)
        provision.warehouse(calm)
        places = {name: warehouse(stack.url("bigquery"), faults) for name in FUNCTIONS}
        proxies = {name: running.enter_context(place.running()) for name, place in places.items()}
        store = running.enter_context(Proxy(stack.url("storage"), faults).running())
        pubsub = running.enter_context(grpc_proxy(f"127.0.0.1:{stack.ports['pubsub']}", faults))
        pushes = {name: running.enter_context(Proxy(stack.url(name), faults).running()) for name in FUNCTIONS}
        _subscribe(calm.settings, {name: proxy.endpoint for name, proxy in pushes.items()}, hasty=rate > 0)
        env = {name: {**extra, **_places(proxies[name].endpoint, store.endpoint, pubsub)} for name in FUNCTIONS}
        made = Rig(stack, calm, faults, Random(seed + 3), proxies, pushes, env)
        running.callback(lambda: [made.stop(name) for name in made.processes])
        for name in FUNCTIONS:
            made.start(name, deadly=rate > 0)
        made.await_healthy()
        yield made


def _places(bigquery: str, storage: str, pubsub: str) -> dict[str, str]:
    return {
        "BIGQUERY_EMULATOR_HOST": bigquery,
        "STORAGE_EMULATOR_HOST": storage,
        "PUBSUB_EMULATOR_HOST": pubsub,
    }


def _subscribe(settings: Settings, endpoints: dict[str, str], hasty: bool) -> None:
    """The subscriptions of pipeline.yaml; ``hasty`` ones wait less: what is proved then is not how long."""
    client = pubsub_v1.SubscriberClient()
    for name, sub in pipeline()["subscriptions"].items():
        request = provision.subscription_request(settings, name, sub, endpoints[sub["function"]])
        client.create_subscription(request={**request, **({"retry_policy": _BACKOFF} if hasty else {})})
