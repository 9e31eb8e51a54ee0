"""Real emulators and real function processes for tests: started when a test first asks, stopped at the end."""

import fcntl
import itertools
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from google.cloud import pubsub_v1

from cli import provision
from functions.ingest.sweep import waiting
from local import control, parts
from local.environment import variables
from local.process import Process
from local.state import FUNCTIONS, Stack, StackStatus, open_stack, read_status
from stockflow.services import Services
from stockflow.settings import Settings
from stockflow.waiting import wait_until

START_SECONDS = 90
DATASET_PREFIX = "t_"
_numbers = itertools.count()


@dataclass
class Emulators:
    """The emulators of one test session, each started when it is first asked for; BigQuery's: see ``warehouse``."""

    stack: Stack
    prepared: Path
    _running: ExitStack

    @cached_property
    def pubsub(self) -> str:
        """``host:port`` of the Pub/Sub emulator (its notifications come from ``storage``)."""
        self._start(parts.pubsub(self.stack))
        return f"127.0.0.1:{self.stack.ports['pubsub']}"

    @cached_property
    def storage(self) -> str:
        """The endpoint of fake-gcs-server. It announces nothing: ``full_stack`` does."""
        part = parts.storage(self.stack)
        quiet = part.command[: part.command.index("-event.pubsub-project-id")]
        self._start(replace(part, command=quiet))
        return self.stack.url("storage")

    def _start(self, part: parts.Part) -> None:
        self._running.enter_context(started(part, self.stack))


@contextmanager
def started(part: parts.Part, stack: Stack, seconds: float = START_SECONDS) -> Iterator[None]:
    """Start a part and wait until it is healthy, for at most ``seconds``; stop it at the end."""
    process = Process(part, stack)
    process.start()
    try:
        deadline = time.monotonic() + seconds
        while not part.healthy():
            if process.exit_code() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{part.name} did not start:\n{process.last_lines()}")
            time.sleep(0.05)
        yield
    finally:
        process.stop()
        process.finish(time.monotonic() + 5)


@contextmanager
def emulators(folder: Path, prepared: Path | None = None) -> Iterator[Emulators]:
    """Yield emulators with their state in ``folder``, and stop those that were started.

    ``prepared`` is where the sessions of several workers keep the warehouse that each of theirs begins with.
    """
    with ExitStack() as running:
        yield Emulators(open_stack(folder), prepared or folder / "prepared", running)


@contextmanager
def warehouse(running: Emulators) -> Iterator[Stack]:
    """Yield a stack whose BigQuery emulator runs and has everything provisioned, below ``DATASET_PREFIX``.

    It is a process of its own on a copy of the prepared warehouse, and ends here: what a module's tests wrote neither
    slows the next module down nor stays in memory. It reads the objects of the session's storage emulator.
    """
    origin = _prepared(running)
    own = open_stack(running.stack.folder / f"warehouse-{next(_numbers)}")
    shutil.copytree(origin, own.folder / "bigquery", dirs_exist_ok=True)
    _share_objects(own, running.stack)
    with started(parts.bigquery(own), own):
        yield own


def _prepared(running: Emulators) -> Path:
    """Return the data of a provisioned warehouse that no emulator has open; the first who asks makes it."""
    folder = running.prepared
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "done"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            stack = open_stack(folder / f"of-{os.getpid()}")
            with started(parts.bigquery(stack), stack):
                services = Services(_settings(stack))
                provision.warehouse(services)
            done.write_text(str(stack.folder / "bigquery"))
    return Path(done.read_text())


def _share_objects(own: Stack, storage: Stack) -> None:
    (own.folder / "gcs").rmdir()
    (own.folder / "gcs").symlink_to(storage.folder / "gcs")


def _settings(stack: Stack) -> Settings:
    """Settings that know the warehouse of a stack and nothing else."""
    return Settings(stack.project, dataset_prefix=DATASET_PREFIX, bigquery_endpoint=stack.url("bigquery"))


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def provisioned(running: Emulators) -> Iterator[Services]:
    """Yield services of an environment of its own: a ``warehouse``, and buckets and topics on shared emulators."""
    with warehouse(running) as own, serving(running, own) as services:
        yield services


@contextmanager
def serving(running: Emulators, own: Stack) -> Iterator[Services]:
    """Yield services of this warehouse, and of new buckets and topics on the shared emulators."""
    prefix = f"t{uuid4().hex[:6]}"
    values = {
        "GOOGLE_CLOUD_PROJECT": own.project,
        "BIGQUERY_EMULATOR_HOST": own.url("bigquery"),
        "BIGQUERY_STORAGE_EMULATOR_HOST": f"127.0.0.1:{own.ports['bigquery_grpc']}",
        "STORAGE_EMULATOR_HOST": running.storage,
        "PUBSUB_EMULATOR_HOST": running.pubsub,
        "STOCKFLOW_DATASET_PREFIX": DATASET_PREFIX,
        "STOCKFLOW_TOPIC_PREFIX": f"{prefix}-",
        "STOCKFLOW_LANDING_BUCKET": f"{prefix}-landing",
        "STOCKFLOW_STAGING_BUCKET": f"{prefix}-staging",
    }
    with environment(values):
        services = Services(Settings.from_env())
        provision.topics(services.settings)
        for bucket in (services.settings.landing_bucket, services.settings.staging_bucket):
            services.object_store.ensure_bucket(bucket, services.settings.location)
        yield services


class Inbox:
    """What is published on a topic from now on, read by a subscription of its own."""

    def __init__(self, services: Services, topic: str = "inventory-events") -> None:
        self._client = pubsub_v1.SubscriberClient()
        self._name = self._client.subscription_path(services.settings.project, f"inbox-{uuid4().hex[:8]}")
        self._client.create_subscription(name=self._name, topic=services.settings.topic(topic))
        self._came: list[dict[str, Any]] = []

    def find(self, count: int, attribute: str, value: str, seconds: float = 60) -> list[dict[str, Any]]:
        """Return the messages with this attribute, as soon as there are ``count`` (or ``seconds`` have passed)."""

        def found() -> list[dict[str, Any]]:
            self._pull()
            return [message for message in self._came if message.get(attribute) == value]

        wait_until(lambda: len(found()) >= count, seconds, 0.05)
        return found()

    def _pull(self) -> None:
        """Take what is there now: a pull that is given up while it waits would leave what it had leased untold."""
        request = {"subscription": self._name, "max_messages": 100, "return_immediately": True}
        received = list(self._client.pull(request=request).received_messages)
        if received:
            self._client.acknowledge(request={"subscription": self._name, "ack_ids": [m.ack_id for m in received]})
        self._came += [{**dict(m.message.attributes), "data": m.message.data} for m in received]


@dataclass(frozen=True)
class FullStack:
    """A running stack: emulators and the four functions, with services that talk to it."""

    stack: Stack
    services: Services
    env: dict[str, str]

    def status(self) -> StackStatus:
        """Return what the supervisor says."""
        found = read_status(self.stack.folder)
        assert found is not None
        return found


@contextmanager
def full_stack(folder: Path, with_dashboard: bool = False) -> Iterator[FullStack]:
    """Start everything below ``folder``, speak to it, and stop it at the end."""
    with whole(folder, with_dashboard) as stack, speaking(stack) as running:
        yield running


@contextmanager
def whole(folder: Path, with_dashboard: bool = False) -> Iterator[Stack]:
    """Start everything below ``folder``, and stop it at the end."""
    stack = control.up(folder, with_dashboard)
    try:
        yield stack
    finally:
        control.down(folder)


@contextmanager
def speaking(stack: Stack) -> Iterator[FullStack]:
    """Speak to a running stack for a while: tests that follow may speak to another."""
    values = {**variables(stack), "STOCKFLOW_STATE": str(stack.folder)}
    with environment(values):
        yield FullStack(stack, Services(Settings.from_env()), {**os.environ, **values})


def undelivered(stack: Stack, prefix: str = "") -> int:
    """Return how many events the functions of a running stack have not acknowledged yet."""
    names = [f"projects/{stack.project}/subscriptions/{prefix}{name}" for name in FUNCTIONS]
    sql = (
        "SELECT COUNT(*) FROM deliveries JOIN subscriptions ON subscriptions.id = deliveries.subscription "
        f"WHERE acked = 0 AND subscriptions.name IN ({', '.join('?' * len(names))})"
    )
    with sqlite3.connect(f"file:{stack.folder}/pubsub/pubsub.sqlite?mode=ro", uri=True) as db:
        return int(db.execute(sql, names).fetchone()[0])


def at_rest(stack: Stack, services: Services) -> bool:
    """Whether every event is acknowledged and no stage has work left."""
    return undelivered(stack) == 0 and not waiting(services, services.clock()) and undelivered(stack) == 0
