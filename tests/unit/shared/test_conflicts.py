"""A transaction that another one aborted is run again; whatever else fails is not."""

import pytest

from stockflow.conflicts import TRIES, is_conflict, run_again
from stockflow.errors import TransientError

CONFLICT = "Transaction is aborted due to concurrent update against table p:d.turn_sales. Transaction ID: 7"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stockflow.conflicts.time.sleep", lambda _seconds: None)


class Failing:
    """Fails as often as it is told, with those words."""

    def __init__(self, times: int, words: str) -> None:
        self.left, self.words, self.calls = times, words, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise TransientError("query_failed", self.words)
        return "done"


def test_a_conflict_is_run_again() -> None:
    transaction = Failing(2, CONFLICT)
    assert (run_again(transaction), transaction.calls) == ("done", 3)


def test_conflicts_without_end_are_raised() -> None:
    transaction = Failing(99, CONFLICT)
    with pytest.raises(TransientError, match="concurrent update"):
        run_again(transaction)
    assert transaction.calls == TRIES


def test_another_fault_is_raised_at_once() -> None:
    """Also when a column or a table has transaction in its name."""
    transaction = Failing(1, "Unrecognized name: transaction_id at [3:5]")
    with pytest.raises(TransientError, match="transaction_id"):
        run_again(transaction)
    assert transaction.calls == 1


@pytest.mark.parametrize(
    "words",
    [
        CONFLICT,
        "Could not serialize access to table p:d.sales due to concurrent update",
        "TransactionContext Error: Failed to commit: write-write conflict on key",
        "TransactionContext Error: Conflict on update!",
        "Failed to commit DuckLake transaction.",
    ],
)
def test_the_words_of_bigquery_and_of_the_emulator_are_known(words: str) -> None:
    assert is_conflict(TransientError("query_failed", words))
