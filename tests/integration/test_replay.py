"""Replay on a whole stack: lost events, any order, another model, a sandbox run. The tests run in order."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.replay.choice import Choice, choose
from cli.replay.send import event_of
from functions.ingest.sweep import sweep
from stockflow.stages import STAGES
from tests.integration import replay_world
from tests.integration.replay_world import FILES, World

pytestmark = [pytest.mark.integration, pytest.mark.chaos, pytest.mark.timeout(1500)]
MODEL = "functions/transform/models/sales.sql"
NOTHING = timedelta()


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return replay_world.copy_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def world(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with replay_world.running(tree, tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.fixture(scope="module")
def first(world: World) -> dict[str, str]:
    """What the tables hold at first; the first test brings it there."""
    return world.checksums()


def other_model(tree: Path) -> None:
    """Change the model: half of what was sold counts."""
    path = tree / MODEL
    text = path.read_text()
    assert "AS quantity" in text
    path.write_text(text.replace(" AS quantity", " / 2 AS quantity", 1))


def test_with_all_events_lost_the_sweep_loads_everything(world: World) -> None:
    """No notification and no event reaches any function: four ticks, one for each stage that heard nothing."""
    world.unsubscribe(*STAGES)
    replay_world.drop(world)
    services = world.services
    for stage in STAGES:
        world.subscribe(stage)
        assert sweep(services, NOTHING).total > 0
        replay_world.until_loads(world, stage, len(FILES))
    world.settle()
    assert sweep(services, NOTHING).total == 0
    assert {row["state"] for row in world.rows("SELECT state FROM inventory_ops.loads")} == {"refreshed"}
    assert world.json("audit")["holds"]


def test_replaying_everything_twice_in_any_order_changes_nothing(world: World, first: dict[str, str]) -> None:
    """Every event of every stage twice, shuffled; the window is zero, so that each one is computed again."""
    services = world.services
    events = [
        ("landing-objects" if stage == "ingest" else "inventory-events", event_of(stage, chosen))
        for stage in STAGES
        for chosen in choose(Choice(stage), services)
    ] * 2
    random.Random(7).shuffle(events)
    for topic, event in events:
        services.publisher.publish(topic, *event)
    world.settle()
    assert world.checksums() == first


def test_replay_says_what_it_would_do_and_then_does_it(world: World, first: dict[str, str]) -> None:
    plan = world.json("replay", "--stage", "transform", "--feed", "sales", "--dry-run")
    assert (plan["loads"], plan["feeds"], plan["by"]) == (2, {"sales": 2}, "publishing the recorded events again")
    assert world.json("replay", "--stage", "transform", "--dry-run")["by"] == "seek"
    done = world.json("replay", "--stage", "transform", "--feed", "sales")
    assert done["settled"] == 2 and done["before"] == done["now"]
    assert world.checksums() == first


def test_a_period_is_one_of_landing_or_of_business(world: World) -> None:
    week = ("--stage", "kpi", "--by", "business", "--from", "2026-09-07", "--to", "2026-09-13", "--feed", "sales")
    assert world.json("replay", *week, "--dry-run")["loads"] == 1
    assert world.json("replay", "--to", "2026-01-01", "--dry-run")["loads"] == 0
    assert world.json("replay", "--failed", "--dry-run")["loads"] == 0
    assert "not a valid time" in _fails(world, "replay", "--from", "yesterday")
    assert "not a known feed" in _fails(world, "replay", "--feed", "seles")


def _fails(world: World, *words: str) -> str:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *words], cwd=world.tree, env=world.env, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    return done.stderr


def test_a_sandbox_run_says_what_another_model_changes_and_touches_nothing(
    world: World, tree: Path, first: dict[str, str]
) -> None:
    assert world.json("status")["stale"] == []
    other_model(tree)
    (old,) = world.json("status")["stale"]
    assert (old["stage"], old["feed"], old["stale"], old["of"]) == ("transform", "sales", 2, 2)
    listed = world.json("loads", "--stale")
    assert {(row["feed"], row["stale_stages"]) for row in listed} == {("sales", "transform")} and len(listed) == 2
    said = world.json("replay", "--stage", "transform", "--stale", "--diff")
    changes = {c["table"]: c for c in said["changes"]}
    sales = changes["curated.sales"]
    assert sales["columns"].keys() == {"quantity"} and sales["added"] == sales["removed"] == 0
    assert "another contract, SQL or code" in sales["why"]
    assert changes["kpi.sell_through"]["why"] and changes["kpi.sell_through"]["dates"]
    assert "curated.products" not in changes
    assert world.checksums() == first
    datasets = [d.dataset_id for d in world.services.warehouse.client.list_datasets()]
    assert not [d for d in datasets if d.startswith("replay_")]


def test_after_a_seek_everything_is_as_if_the_other_model_had_always_been(
    world: World, tree: Path, first: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Seek transform to the start: curated and KPIs as from scratch with the new model, nothing else touched."""
    world.restart("transform")
    client = world.subscriber()
    name = client.subscription_path(world.stack.project, "transform")
    client.seek(request={"subscription": name, "time": datetime(1970, 1, 1, tzinfo=UTC)})
    world.settle()
    assert world.json("status")["stale"] == []
    replayed, changed = world.business(), world.checksums()
    untouched = [t for t in first if not t.startswith(("kpi.", "curated.sales"))]
    assert {t: changed[t] for t in untouched} == {t: first[t] for t in untouched}
    assert changed["curated.sales"] != first["curated.sales"]
    with replay_world.running(tree, tmp_path_factory.mktemp("scratch")) as scratch:
        replay_world.drop(scratch)
        replay_world.until_loads(scratch, "kpi", len(FILES))
        scratch.settle()
        assert replay_world.differences(scratch.business(), replayed) == {}


def test_a_promoted_sandbox_run_is_the_replay(world: World, tree: Path, first: dict[str, str]) -> None:
    """Back to the first model: tried, promoted at once; then there is no difference any more."""
    (tree / MODEL).write_bytes((replay_world.ROOT / MODEL).read_bytes())
    scope = ("replay", "--stage", "transform", "--feed", "sales", "--diff")
    assert world.json(*scope, "--promote")["promoted"]
    assert world.checksums() == first
    assert world.json("status")["stale"] == []
    assert world.json(*scope)["changes"] == []
    assert world.json("audit")["holds"]
