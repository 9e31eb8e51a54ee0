"""kill -9 at any moment."""

import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions as api

from tests.pubsub.support import CALL, Endpoint, Posted, Served, World, served, texts, until

SEED = 20261123
KILLS = 4
SECONDS = 10
"""No further kill after so long: starting takes its time on a machine that is busy."""


class Life:
    """Publishes to, and pulls from, one server until it is killed; remembers what the server confirmed."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self.name, self._chance = name, chance
        self.published: list[str] = []
        self.acknowledged: list[str] = []

    def run(self, emulator: Served, world: World) -> None:
        """Work, be killed, return."""
        killer = threading.Timer(self._chance.uniform(0.05, 0.8), emulator.kill)
        killer.start()
        try:
            while True:
                self._step(world)
        except api.GoogleAPICallError:
            killer.join()

    def _step(self, world: World) -> None:
        batch = [f"{self.name}-{len(self.published) + n}" for n in range(self._chance.randint(1, 20))]
        world.publish(*batch)
        self.published += batch
        if got := world.pull("pulled", self._chance.randint(1, 40)):
            some = got[: self._chance.randint(1, len(got))]
            world.ack(some, "pulled")
            self.acknowledged += texts(some)


@pytest.mark.chaos
def test_no_confirmed_publish_is_lost_and_no_confirmed_acknowledgement_comes_back(tmp_path: Path) -> None:
    """Given a server killed at random moments, then everything that it confirmed still holds, and delivery ends."""
    chance = random.Random(SEED)
    lives: list[Any] = []
    pushed: set[str] = set()
    endpoint = Endpoint(lambda posted: _note(pushed, posted))
    started = time.monotonic()
    with served(tmp_path) as emulator:
        world = World(emulator.host)
        world.topic()
        world.sub("pulled")
        world.sub("pushed", push_config={"push_endpoint": endpoint.url})
        while len(lives) < KILLS and (len(lives) < 2 or time.monotonic() - started < SECONDS):
            lives.append(Life(f"life{len(lives)}", chance))
            lives[-1].run(emulator, world)
            emulator.start()
            world.close()
            world = World(emulator.host, project=world.project)
        published = {text for life in lives for text in life.published}
        acknowledged = {text for life in lives for text in life.acknowledged}
        until(lambda: published <= pushed, 120)
        assert not acknowledged & set(texts(_rest(world)))
        assert _ends(world, endpoint)
        world.close()
    endpoint.close()
    assert len(published) > 20, "the server was always killed before it confirmed anything"


def _note(pushed: set[str], posted: Posted) -> int:
    pushed.add(posted.text)
    return 204


def _rest(world: World) -> list[object]:
    rest: list[object] = []
    while got := world.pull("pulled", 1000):
        rest += got
    return rest


def _ends(world: World, endpoint: Endpoint) -> bool:
    """Turn the push subscription into a pull one: nothing is left in it."""
    request = {"subscription": world.sub_name("pushed"), "push_config": {}}
    until(lambda: _quiet(endpoint))
    world.subscriber.modify_push_config(request=request, **CALL)
    return world.pull("pushed") == []


def _quiet(endpoint: Endpoint) -> bool:
    count = len(endpoint.posted)
    time.sleep(0.2)
    return len(endpoint.posted) == count


def test_it_ends_cleanly_when_asked(tmp_path: Path) -> None:
    """SIGTERM ends it with 0, says so, and what was published is there after a start."""
    with served(tmp_path) as emulator:
        world = World(emulator.host)
        world.topic()
        world.sub()
        world.publish("a")
        world.close()
        assert emulator.stop() == 0
        assert "stopped" in emulator.log()
        emulator.start()
        again = World(emulator.host, project=world.project)
        assert texts(again.take(1)) == ["a"]
        again.close()


def test_two_servers_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second refuses to start, and says why."""
    with served(tmp_path):
        second = Served(tmp_path)
        with pytest.raises(AssertionError, match="in use by another"):
            second.start()
