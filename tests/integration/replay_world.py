"""A stack run from a copy of the repository, so that a test may change a model; and what its tables hold."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from google.cloud import pubsub_v1

from cli import provision
from functions.ingest.sweep import waiting
from local.environment import variables
from local.state import Stack, alive, find_stack, read_status
from stockflow.schema import pipeline
from stockflow.services import Services
from stockflow.settings import Settings
from stockflow.waiting import wait_until
from tests.support import trees
from tests.support.stack import at_rest, environment, undelivered

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
FILES = (
    "products/products_2026-08-28.csv",
    "locations/locations.csv",
    "exchange_rates/rates_2026-10-12.csv",
    "stock_snapshots/stock_2026-W36.csv",
    "sales/sales_2026-W36.csv",
    "sales/ventes_2026-S37.csv",
)
# Bases that read each other, and KPIs on them: the others would only cost time.
KPIS = {"calendar", "balance_daily", "stock_daily", "window_28d", "sell_through"}
PATIENCE = 400
# when or by which run a row was written, which a replay may change
_VOLATILE = {"_updated_at", "_ingested_at", "_run_id", "run_id", "recorded_at"}
# Of raw, what counts: the rows of the runs that the ledger names.
_COMMITTED = """
SELECT raw.*
FROM inventory_raw.{feed} AS raw
JOIN inventory_ops.load_stages_latest AS done
  ON done.load_id = raw._load_id AND done.raw_run_id = raw._run_id AND done.stage = 'ingest'
WHERE done.state = 'loaded'
"""


@dataclass
class World:
    """One running stack from ``tree``; ``state`` is its folder."""

    tree: Path
    state: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """The environment in which the copy's code runs, not the checkout's."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("STOCKFLOW_", "GOOGLE_", "COLUMNS"))}
        paths = {"PYTHONPATH": f"{self.tree}:{self.tree / 'shared'}", "STOCKFLOW_STATE": str(self.state)}
        # In a burst few drains, as in the cloud: here each takes seconds.
        ours = {"STOCKFLOW_REPLAY_WINDOW_SECONDS": "0", "STOCKFLOW_DRAIN_PAUSE_SECONDS": "5"}
        return {**kept, **paths, "COLUMNS": "300", **ours, **self.extra}

    def cli(self, *words: str, code: int = 0) -> str:
        """Run ``stockflow`` as a person would; return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *words], cwd=self.tree, env=self.env, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *words: str, code: int = 0) -> Any:
        """Run ``stockflow ... --json``."""
        return json.loads(self.cli(*words, "--json", code=code))

    @property
    def stack(self) -> Stack:
        """Where its parts are."""
        found = find_stack(self.state)
        assert found is not None
        return found

    @property
    def services(self) -> Services:
        """Services that speak to it, from this process."""
        with environment({"PUBSUB_EMULATOR_HOST": variables(self.stack)["PUBSUB_EMULATOR_HOST"]}):
            return Services(Settings.from_env({**variables(self.stack), "STOCKFLOW_REPLAY_WINDOW_SECONDS": "0"}))

    def subscriber(self) -> pubsub_v1.SubscriberClient:
        """A client of its Pub/Sub; this process speaks to this stack from now on."""
        os.environ["PUBSUB_EMULATOR_HOST"] = variables(self.stack)["PUBSUB_EMULATOR_HOST"]
        return pubsub_v1.SubscriberClient()

    def subscribe(self, *names: str) -> None:
        """Create these subscriptions anew: what was published before never reaches them."""
        client, services = self.subscriber(), self.services
        for name in names:
            sub = pipeline()["subscriptions"][name]
            request = provision.subscription_request(services.settings, name, sub, self.stack.url(sub["function"]))
            client.create_subscription(request=request)

    def unsubscribe(self, *names: str) -> None:
        """Delete these subscriptions: all their events are lost, the coming ones too."""
        client = self.subscriber()
        for name in names:
            client.delete_subscription(subscription=client.subscription_path(self.stack.project, name))

    def settle(self) -> None:
        """Wait until every event is acknowledged and no stage has work left."""
        services, stack = self.services, self.stack
        assert wait_until(lambda: at_rest(stack, services), PATIENCE, 1), (
            f"{undelivered(stack)} events, {waiting(services, services.clock())}"
        )

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        return self.services.warehouse.query(sql)

    def restart(self, function: str) -> None:
        """Kill a function; the supervisor starts it again, with the code as it is now."""
        status = read_status(self.state)
        assert status is not None
        part = next(p for p in status.parts if p.name == function)
        assert part.pid is not None
        os.kill(part.pid, 9)

        def is_back() -> bool:
            now = read_status(self.state)
            mine = next(p for p in now.parts if p.name == function) if now else part
            return mine.pid != part.pid and mine.state == "healthy" and alive(mine.pid, mine.born)

        assert wait_until(is_back, PATIENCE)

    def tables(self) -> dict[str, list[str]]:
        """Return layer.table -> its rows as sorted text, without what only says when they were written."""
        services, found = self.services, {}
        for layer, name in _tables(services):
            sql = _COMMITTED.format(feed=name) if layer == "raw" else f"SELECT * FROM inventory_{layer}.{name}"
            rows = services.warehouse.query(sql)
            found[f"{layer}.{name}"] = sorted(_text(row, _VOLATILE) for row in rows)
        return found

    def checksums(self) -> dict[str, str]:
        """Return layer.table -> a hash of what it holds."""
        return {name: hashlib.sha256("\n".join(rows).encode()).hexdigest() for name, rows in self.tables().items()}

    def business(self) -> dict[str, list[str]]:
        """Return what curated and KPI tables say, without where it came from."""
        services, found = self.services, {}
        for layer, name in _tables(services):
            if layer in ("curated", "kpi") and not name.endswith("_history"):
                rows = services.warehouse.query(f"SELECT * FROM inventory_{layer}.{name}")
                own = {c for row in rows[:1] for c in row if c.startswith("_")}
                found[f"{layer}.{name}"] = sorted(_text(row, own) for row in rows)
        return found


def differences(one: dict[str, list[str]], other: dict[str, list[str]]) -> dict[str, dict[str, list[str]]]:
    """Return, of each table that differs, the first rows that only the one or only the other has."""
    found = {}
    for table in sorted({*one, *other}):
        mine, theirs = one.get(table, []), other.get(table, [])
        if mine != theirs:
            found[table] = {"one": sorted({*mine} - {*theirs})[:3], "other": sorted({*theirs} - {*mine})[:3]}
    return found


def _text(row: dict[str, Any], without: set[str]) -> str:
    return repr([(k, _value(v)) for k, v in sorted(row.items()) if k not in without])


def _value(value: Any) -> Any:
    return round(value, 9) if isinstance(value, float) else value


def _tables(services: Services) -> Iterator[tuple[str, str]]:
    for feed in sorted({name.partition("/")[0] for name in FILES}):
        yield from (("raw", feed), ("curated", feed), ("curated", f"{feed}_history"))
    yield from (("ops", name) for name in ("rejects", "quarantine", "expectations"))
    sql = "SELECT table_name FROM inventory_kpi.INFORMATION_SCHEMA.TABLES ORDER BY table_name"
    yield from (("kpi", row["table_name"]) for row in services.warehouse.query(sql))


def copy_tree(folder: Path) -> Path:
    """Copy what git knows or would take, with a few of the KPIs."""
    left_out = ("tests/", "terraform/", "images/")
    trees.copy([name for name in trees.names() if not name.startswith(left_out)], folder)
    for path in (folder / "functions" / "kpi" / "definitions").glob("*.sql"):
        if path.stem not in KPIS:
            path.unlink()
    return folder


@contextmanager
def running(tree: Path, state: Path, **extra: str) -> Iterator[World]:
    """Run a stack from a tree."""
    world = World(tree, state, extra)
    world.cli("up", "--no-dashboard")
    before = os.environ.get("PUBSUB_EMULATOR_HOST")
    try:
        yield world
    finally:
        world.cli("down")
        if before is None:
            os.environ.pop("PUBSUB_EMULATOR_HOST", None)
        else:
            os.environ["PUBSUB_EMULATOR_HOST"] = before


def drop(world: World) -> None:
    """Drop the files, with a moment between them: which one is newer is part of what is tested."""
    world.cli("drop", *(str(SAMPLES / name) for name in FILES))


def until_loads(world: World, stage: str, count: int) -> None:
    """Wait until a stage has ended for so many loads."""
    services, deadline = world.services, time.monotonic() + PATIENCE
    sql = "SELECT COUNT(*) AS n FROM inventory_ops.load_stages_latest WHERE stage = @stage"
    while time.monotonic() < deadline:
        if services.warehouse.query(sql, {"stage": stage})[0]["n"] >= count:
            return
        time.sleep(0.5)
    pytest.fail(f"{stage} has not ended for {count} loads")
