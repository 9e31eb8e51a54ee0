"""The only two kinds of error: one is recorded and done with, the other is tried again."""

from typing import Any


class StockflowError(Exception):
    """Root of both kinds.

    ``code`` is a short snake_case name that people can search for; ``facts`` says what, where,
    what was found and what was expected.
    """

    def __init__(self, code: str, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class PermanentError(StockflowError):
    """Trying again cannot help: record it and acknowledge the event."""


class TransientError(StockflowError):
    """Trying again may help: answer non-2xx, so that Pub/Sub retries with back-off."""
