"""Many calls at once cost few drains, and every call is covered by a drain that started after it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from stockflow.singleflight import SingleFlight, Turns, burst_end


class Drain:
    """Records what each drain was given; the first one waits until it is let go."""

    def __init__(self) -> None:
        self.batches: list[frozenset[str]] = []
        self.started = threading.Event()
        self.go = threading.Event()

    def __call__(self, items: frozenset[str]) -> int:
        self.batches.append(items)
        self.started.set()
        assert self.go.wait(10)
        return len(self.batches)


def test_calls_that_arrive_during_a_drain_share_the_next_one() -> None:
    """Given a running drain, when 50 more calls arrive, then they cost one drain together."""
    flight, drain = SingleFlight[str, int](), Drain()
    with ThreadPoolExecutor(60) as pool:
        first = pool.submit(flight.join, "sales", "load-0", drain)
        assert drain.started.wait(10)
        others = [pool.submit(flight.join, "sales", f"load-{i}", drain) for i in range(1, 51)]
        while flight.waiting("sales") < 50:
            threading.Event().wait(0.005)
        drain.go.set()
        assert first.result(10) == 1
        assert {f.result(10) for f in others} == {2}
    assert drain.batches[0] == {"load-0"}
    assert drain.batches[1] == {f"load-{i}" for i in range(1, 51)}


def test_feeds_do_not_wait_for_each_other() -> None:
    """Given a drain of one feed that hangs, when another feed drains, then it ends."""
    flight, slow = SingleFlight[str, int](), Drain()
    with ThreadPoolExecutor(2) as pool:
        hanging = pool.submit(flight.join, "sales", "a", slow)
        assert slow.started.wait(10)
        assert flight.join("products", "b", len) == 1
        slow.go.set()
        assert hanging.result(10) == 1


def test_a_failed_drain_fails_every_call_that_joined_and_the_next_call_starts_afresh() -> None:
    """Given a drain that raises, when a later call comes, then it runs a drain of its own."""
    flight = SingleFlight[str, int]()

    def broken(items: frozenset[str]) -> int:
        raise ValueError("conflict")

    with pytest.raises(ValueError, match="conflict"):
        flight.join("sales", "a", broken)
    assert flight.join("sales", "b", len) == 1


def test_calls_within_the_pause_share_the_next_drain_and_the_first_does_not_wait() -> None:
    """Given a pause, when calls come one after another, then the first drains at once and the others share one."""
    flight, batches = SingleFlight[str, float](), []

    def drain(items: frozenset[str]) -> float:
        batches.append(items)
        return time.monotonic()

    began = time.monotonic()
    first = flight.join("all", "a", drain, pause=0.3)
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(flight.join, "all", item, drain, 0.3) for item in ("b", "c")]
        later = {call.result(10) for call in calls}
    assert first - began < 0.3
    assert batches == [{"a"}, {"b", "c"}]
    assert min(later) - first >= 0.29


def test_a_burst_costs_one_drain_that_waits_until_it_is_over() -> None:
    """Given calls that come one shortly after another, when they stop, then one drain took them all."""
    flight = SingleFlight[str, int]()
    with ThreadPoolExecutor(10) as pool:
        calls = [pool.submit(flight.join, "all", str(number), len, 10) for number in range(10)]
        assert {call.result(30) for call in calls} == {10}


def test_nobody_waits_for_others_when_the_process_has_no_thread_left_for_them() -> None:
    """Given a pause of a minute and a process that takes ten calls, when nine wait for drains of two keys, then all
    end long before the pause is over, each key in one drain."""
    flight, batches = SingleFlight[str, int](), []

    def drain(items: frozenset[str]) -> int:
        batches.append(items)
        return len(items)

    assert [flight.join(key, "first", drain, 60) for key in ("sales", "products")] == [1, 1]
    with ThreadPoolExecutor(9) as pool:
        calls = [pool.submit(flight.join, ("sales", "products")[n % 2], str(n), drain, 60, 10) for n in range(9)]
        assert sorted(call.result(20) for call in calls) == [4] * 4 + [5] * 5
    assert len(batches) == 4


@pytest.mark.parametrize(
    ("last", "waiting", "expected"),
    [
        (100.0, 1, 101.2),  # alone: a hundredth of the pause
        (100.0, 50, 160.0),
        (150.0, 1_000, 270.0),  # never longer than the pause
        (210.0, 50, 250.0),  # a steady stream: the first one waits little longer than a pause
        (390.0, 1_000, 400.0),  # a burst: at most 2.5 pauses
    ],
)
def test_a_burst_is_over_when_nothing_asked_for_a_while(last: float, waiting: int, expected: float) -> None:
    """Given calls since second 100 and a pause of 120 seconds, then the drain starts as documented."""
    assert burst_end(100.0, last, waiting, 120.0) == pytest.approx(expected)


def test_calls_of_one_key_take_turns_and_others_do_not_wait() -> None:
    turns, inside, most = Turns(), [0], [0]
    other_is_in, lock = threading.Event(), threading.Lock()

    def work(_: int) -> None:
        with turns.of("one"):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            assert other_is_in.wait(10)
            with lock:
                inside[0] -= 1

    def other() -> None:
        with turns.of("two"):
            other_is_in.set()

    with ThreadPoolExecutor(5) as pool:
        calls = [pool.submit(work, n) for n in range(4)]
        pool.submit(other).result(10)
        for call in calls:
            call.result(10)
    assert most == [1]


def test_a_call_that_fails_gives_its_turn_on() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="no"), turns.of("one"):
        raise ValueError("no")
    with turns.of("one"):
        pass
