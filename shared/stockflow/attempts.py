"""Attempts: a stage says in the ledger that it begins with a load, so that a process that dies counts, too."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from stockflow.errors import PermanentError, TransientError
from stockflow.identity import digest, new_run_id

if TYPE_CHECKING:
    from stockflow.services import Services

# A service that is away for hours fails attempts that are no fault of the load: so many times as many may.
DEFERRED_TIMES = 5
SUSPECT_AFTER = 2  # deaths of the process after which a load is worked on alone
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
    def suspect(self) -> bool:
        """Whether this load may be what kills the process: its neighbours must not die, and count, with it."""
        return self.failed >= SUSPECT_AFTER and not self.last_reason

    @property
    def why(self) -> str:
        """What the last attempt ended with, for a person."""
        return self.last_message or "the process was killed while it worked on this load (out of memory, or a crash)"


class Room:
    """Where the attempts of an instance are: many together (``inside``), or one alone. Whoever comes waits."""

    def __init__(self) -> None:
        self._door = threading.Lock()
        self._left = threading.Condition()
        self.inside = 0

    @contextmanager
    def together(self) -> Iterator[None]:
        """Work beside others."""
        with self._door, self._left:
            self.inside += 1
        try:
            yield
        finally:
            with self._left:
                self.inside -= 1
                self._left.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Work when the others have left; nobody comes in meanwhile."""
        with self._door:
            with self._left:
                self._left.wait_for(lambda: self.inside == 0)
            yield

    def place(self, tries: Tries) -> AbstractContextManager[None]:
        """Return where a load is worked on that was tried before."""
        return self.alone() if tries.suspect else self.together()


_room = Room()


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
def attempt(subject: Subject, services: "Services", tries: Tries = Tries()) -> Iterator[None]:
    """Record that an attempt begins; when the block raises, record why, and let it pass.

    A load that may have killed the process (by ``tries``) has the instance to itself: so a death counts for it alone.
    """
    with _room.place(tries):
        yield from _attempt(subject, services)


def _attempt(subject: Subject, services: "Services") -> Iterator[None]:
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
