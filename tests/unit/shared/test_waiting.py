"""Waiting: a condition, and the pause between two questions."""

import pytest

from stockflow.waiting import polite_pause, wait_until


@pytest.mark.parametrize(
    ("asked", "pause"), [(0.0, 0.5), (0.1, 0.5), (0.2, pytest.approx(0.6)), (1.0, 3.0), (2.0, 5.0), (60.0, 5.0)]
)
def test_who_asks_slowly_waits_longer_but_never_for_long(asked: float, pause: float) -> None:
    assert polite_pause(asked) == pause


def test_a_condition_that_becomes_true_ends_the_waiting() -> None:
    answers = iter([False, False, True])
    assert wait_until(lambda: next(answers), 10, 0)
    assert list(answers) == []


def test_a_condition_that_never_becomes_true_is_said() -> None:
    assert not wait_until(lambda: False, 0)
