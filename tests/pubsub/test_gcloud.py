"""The REST front, with the real ``gcloud pubsub``."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pubsub.support import Served, World, clean_environment, served, texts

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not on this machine"),
]


class Gcloud:
    """``gcloud pubsub`` against an emulator, with nothing of this machine's configuration."""

    def __init__(self, emulator: Served, folder: Path) -> None:
        token = folder / "token"
        token.write_text("nobody")
        self._env = {
            **clean_environment(),
            "HOME": str(folder),
            "CLOUDSDK_CONFIG": str(folder),
            "CLOUDSDK_CORE_PROJECT": "shop",
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(token),
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://127.0.0.1:{emulator.rest_port}/",
        }

    def __call__(self, *words: str, fails: bool = False) -> Any:
        command = ["gcloud", "pubsub", *words, "--format=json"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=self._env, timeout=120)
        assert (done.returncode != 0) is fails, done.stderr
        return done.stderr if fails else json.loads(done.stdout or "null")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One emulator for the commands of this file."""
    with served(tmp_path_factory.mktemp("gcloud-pubsub")) as running:
        yield running


def test_gcloud_sees_what_clients_do_and_clients_see_what_gcloud_does(emulator: Served, tmp_path: Path) -> None:
    """The commands of a user who replays: create, publish, pull, snapshot, seek, describe."""
    gcloud, world = Gcloud(emulator, tmp_path), World(emulator.host, project="shop")
    gcloud("topics", "create", "events", "--message-retention-duration=31d", "--labels=team=stock")
    gcloud("subscriptions", "create", "reader", "--topic=events", "--retain-acked-messages",
           '--message-filter=attributes.kind = "a"', "--min-retry-delay=1s", "--max-retry-delay=60s")  # fmt: skip
    gcloud("topics", "publish", "events", "--message=hello", "--attribute=kind=a")
    assert texts(world.take(1, "reader")) == ["hello"]
    gcloud("snapshots", "create", "now", "--subscription=reader")
    assert world.subscriber.get_snapshot(snapshot=world.snapshot_name("now")).topic == world.topic_name("events")
    gcloud("subscriptions", "seek", "reader", "--time=2020-01-01T00:00:00Z")
    (pulled,) = gcloud("subscriptions", "pull", "reader", "--auto-ack", "--limit=5")
    assert pulled["message"]["attributes"] == {"kind": "a"}
    gcloud("subscriptions", "update", "reader", "--ack-deadline=77", "--update-labels=a=b")
    described = gcloud("subscriptions", "describe", "reader")
    assert (described["ackDeadlineSeconds"], described["labels"], described["state"]) == (77, {"a": "b"}, "ACTIVE")
    assert described["retryPolicy"] == {"minimumBackoff": "1s", "maximumBackoff": "60s"}
    assert "Resource not found (resource=nobody)" in gcloud("topics", "describe", "nobody", fails=True)
    world.close()
