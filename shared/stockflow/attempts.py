"""Attempts: a stage says in the ledger that it begins with a load, so that a process that dies counts, too."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from stockflow.errors import PermanentError, TransientError
from stockflow.identity import digest, new_run_id

if TYPE_CHECKING:
    from stockflow.services import Services

# A service that is away for hours fails attempts that are no fault of the load: so many times as many may.
DEFERRED_TIMES = 5
SHOWN = 1_000


@dataclass(frozen=True)
class Tries:
    """The attempts of one stage at one load since it last had a result.

    ``failed`` were the load's own fault (something unexpected, or the process died), ``deferred`` a service's.
    """

    failed: int = 0
    deferred: int = 0
    last_reason: str | None = None
    last_message: str | None = None

    def exhausted(self, most: int) -> bool:
        """Whether another attempt is no use until a person has looked at it."""
        return self.failed >= most or self.failed + self.deferred >= most * DEFERRED_TIMES

    @property
    def why(self) -> str:
        """What the last attempt ended with, for a person."""
        return self.last_message or "the process was killed while it worked on this load (out of memory, or a crash)"


@dataclass(frozen=True)
class Subject:
    """The load that an attempt is about, as far as its record would say it."""

    load_id: str
    stage: str
    feed: str | None
    bucket: str | None
    object: str | None
    generation: int | None
    landed_at: datetime | None
    landed_on: date


@contextmanager
def attempt(subject: Subject, services: "Services") -> Iterator[None]:
    """Record that an attempt begins; when the block raises, record why, and let it pass."""
    own = new_run_id()
    _record(subject, own, "began", None, None, services)
    try:
        yield
    except TransientError as error:
        event = "failed" if error.facts.get("fault") == "load" else "deferred"
        _ended(subject, own, event, error, error.code, services)
        raise
    except PermanentError:
        raise  # it is an end, and recorded as such
    except Exception as error:
        _ended(subject, own, "failed", error, type(error).__name__, services)
        raise


def record_failure(subject: Subject, code: str, message: str, services: "Services") -> None:
    """Record an attempt that failed, of a stage that works on many loads at once."""
    _record(subject, new_run_id(), "failed", code, message, services)


def _record(
    subject: Subject, own: str, event: str, code: str | None, message: str | None, services: "Services"
) -> None:
    row: dict[str, Any] = {
        "attempt_id": own, "event": event, "reason_code": code, "message": message and message[:SHOWN],
        "recorded_at": services.clock(), **subject.__dict__,
    }  # fmt: skip
    table = services.settings.table("ops", "stage_attempts")
    services.warehouse.insert(table, [row], [digest(own, event)])


def _ended(subject: Subject, own: str, event: str, error: Exception, code: str, services: "Services") -> None:
    """Record how an attempt failed; where even that fails, the attempt counts as one whose process died."""
    with suppress(TransientError):
        _record(subject, own, event, code, str(getattr(error, "message", error)), services)
