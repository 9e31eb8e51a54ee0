"""Attempts of one instance: a load that may kill the process is worked on alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from stockflow.attempts import Room, Tries


@pytest.mark.parametrize(
    ("tries", "suspect"),
    [
        (Tries(), False),
        (Tries(failed=1), False),  # another copy that is at work looks the same
        (Tries(failed=2, last_reason=""), True),
        (Tries(failed=5, last_reason="ZeroDivisionError"), False),  # it fails, but harms nobody
        (Tries(deferred=9, last_reason="unavailable"), False),
    ],
)
def test_a_load_whose_attempts_ended_without_a_word_may_kill_the_process(tries: Tries, suspect: bool) -> None:
    assert tries.suspect is suspect


def test_a_suspect_waits_for_those_inside_and_nobody_comes_in_meanwhile() -> None:
    """Given two loads at work, when a suspect comes and then another load, then it is alone, and the other is last."""
    room, order = Room(), list[str]()
    leave, alone, go = threading.Event(), threading.Event(), threading.Event()
    suspect = Tries(failed=2)

    def at_work() -> None:
        with room.place(Tries()):
            assert leave.wait(10)
            order.append("at work")

    def lonely() -> None:
        with room.place(suspect):
            alone.set()
            assert go.wait(10)
            order.append("alone")

    def late() -> None:
        with room.place(Tries()):
            order.append("late")

    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(at_work), pool.submit(at_work)]
        while room.inside < 2:
            threading.Event().wait(0.005)
        calls.append(pool.submit(lonely))
        assert not alone.wait(0.05)
        leave.set()
        assert alone.wait(10)
        calls.append(pool.submit(late))
        go.set()
        for call in calls:
            call.result(10)
    assert order == ["at work", "at work", "alone", "late"]


def test_what_fails_inside_leaves() -> None:
    """Given an attempt that raises, alone or not, then the next one comes in."""
    room = Room()
    for tries in (Tries(), Tries(failed=2)):
        with pytest.raises(ZeroDivisionError), room.place(tries):
            raise ZeroDivisionError
    with room.place(Tries(failed=2)):
        assert room.inside == 0
