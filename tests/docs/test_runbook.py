"""The runbook works: each of its ``sh`` blocks runs, in order, on a stack of its own, after what it is for happened."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.environment import variables
from stockflow.events import StageEvent, encode
from stockflow.waiting import wait_until
from tests.integration import replay_world
from tests.integration.replay_world import World

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
NOBODY = "f" * 20
REFUSED = """ticket;ligne;date;article;magasin;qté;montant net;devise
BAD-1;1;02/09/2026;22E1;LYO;deux;17,80;EUR
BAD-2;1;02/09/2026;22E1;LYO;120000000;17,80;EUR
GOOD-1;1;02/09/2026;22E1;LYO;1;17,80;EUR
"""


def blocks() -> list[tuple[str, str]]:
    """Each ``sh`` block under the heading it stands below, numbered."""
    found: list[tuple[str, str]] = []
    text = (ROOT / "docs" / "runbook.md").read_text()
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        bodies = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
        found += [(f"{section.splitlines()[0]} {n}", body) for n, body in enumerate(bodies, 1)]
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A stack with some loads in it, one with refused rows, run from a copy of the repository."""
    tree = replay_world.copy_tree(tmp_path_factory.mktemp("tree"))
    (tree / ".venv").symlink_to(sys.prefix)
    (tree / "refused.csv").write_text(REFUSED)
    with replay_world.running(tree, tree / ".stockflow") as started:
        started.cli("drop", *(f"samples/{name}" for name in replay_world.FILES[:4]))
        started.cli("drop", "refused.csv", "--feed", "sales")
        yield started


def run(world: World, script: str) -> str:
    """Run a block as a person would; return what it printed."""
    env = {**world.env, "PATH": f"{sys.prefix}/bin:{world.env['PATH']}", "STOCKFLOW_STATE": ".stockflow"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=world.tree, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def other_model(world: World) -> None:
    """A fix: net amounts have no more than two decimals."""
    path = world.tree / "functions/transform/models/sales.sql"
    path.write_text(path.read_text().replace("SELECT", "-- fixed\nSELECT", 1))
    world.restart("transform")


def give_up_on_an_event(world: World) -> None:
    """An event of a load that nobody knows fails five times, at once."""
    client, services = world.subscriber(), world.services
    name = client.subscription_path(world.stack.project, "transform")
    sub = client.get_subscription(subscription=name)
    sub.retry_policy.minimum_backoff = sub.retry_policy.maximum_backoff = {"seconds": 0}
    sub.dead_letter_policy.max_delivery_attempts = 5
    paths = {"paths": ["retry_policy", "dead_letter_policy"]}
    client.update_subscription(request={"subscription": sub, "update_mask": paths})
    services.publisher.publish("inventory-events", *encode(StageEvent("load.validated", "sales", NOBODY)))
    assert wait_until(lambda: world.json("deadletters", "list"), 240, 1)


def its_back(world: World) -> None:
    """The cause was not fixed: the event comes back as a dead letter."""
    assert wait_until(lambda: world.json("deadletters", "list"), 240, 1)


BEFORE: dict[str, Callable[[World], None]] = {
    "Replay after a fix 1": other_model,
    "Drain dead letters 1": give_up_on_an_event,
    "Drain dead letters 3": its_back,
}
SAID: dict[str, list[str]] = {
    "Replay after a fix 1": ["transform", "sales", "healthy"],
    "Replay after a fix 2": ["transform of 1 loads (sales 1)", "nothing would change"],
    "Replay after a fix 3": ["1 of 1 loads processed"],
    "Replay after a fix 4": [],
    "Replay a day 1": ["validate of 1 loads (sales 1)", "1 of 1 loads processed", "nothing to replay"],
    "Backfill a period 1": ["transform of 1 loads in 1 batches", "1 loads ended; 0 KPI cells changed"],
    "Correct refused rows 1": ["quantity", "deux", "120000000"],
    "Correct refused rows 2": ["refused."],
    "Release refused rows 1": ["2 of 2 rows released, 0 stay refused"],
    "Drain dead letters 1": [NOBODY, "the ledger has no validation of load"],
    "Drain dead letters 2": ["1 retried"],
    "Drain dead letters 3": ["1 dropped"],
    "Recover after an outage 1": ["holds:"],
}


def test_every_block_is_expected_to_say_something() -> None:
    assert [title for title, _ in blocks()] == list(SAID)


@pytest.mark.parametrize(("title", "script"), blocks(), ids=[t for t, _ in blocks()])
def test_the_runbook(title: str, script: str, world: World) -> None:
    if "gcloud" in script and shutil.which("gcloud") is None:
        pytest.skip("gcloud is not on this machine")
    world.settle()
    BEFORE.get(title, lambda _: None)(world)
    said = run(world, script)
    assert [word for word in SAID[title] if word not in said] == [], said


def test_in_the_end_the_books_balance(world: World) -> None:
    """The corrected row took the refused one's place, the other was released; a poison message blocked nobody."""
    world.settle()
    assert [reason for reason in world.json("quarantine", "list") if reason["feed"] == "sales"] == []
    receipts = world.rows("SELECT receipt_number FROM inventory_curated.sales ORDER BY receipt_number")
    assert [r["receipt_number"] for r in receipts] == ["BAD-1", "BAD-2", "GOOD-1"]
    assert world.json("audit")["holds"]
    assert variables(world.stack)["GOOGLE_CLOUD_PROJECT"] == "stockflow-local"
