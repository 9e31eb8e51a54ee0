"""Transactions that another one aborted: BigQuery lets the first win, and the later one runs again."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from stockflow.errors import TransientError

TRIES = 4
T = TypeVar("T")  # and no type parameter: Airflow 2 in Cloud Composer runs Python 3.11
# BigQuery's words for it, then the emulator's. The reason alone (invalidQuery) does not tell it from bad SQL.
_WORDS = (
    "concurrent update", "could not serialize", "transaction conflict", "failed to commit", "transactioncontext error",
)  # fmt: skip


def is_conflict(error: TransientError) -> bool:
    """Whether BigQuery aborted the transaction because another one changed the same table."""
    return any(words in error.message.lower() for words in _WORDS)


def run_again(transaction: Callable[[], T]) -> T:  # noqa: UP047
    """Run a transaction, again if another one aborted it, and return its result.

    Raises:
        TransientError: what the transaction raised; a conflict, when four tries in a row met one.
    """
    for attempt in range(1, TRIES):
        try:
            return transaction()
        except TransientError as error:
            if not is_conflict(error):
                raise
            time.sleep(random.uniform(0.1, 0.5) * attempt)
    return transaction()
