"""Where an event's handling ends: which errors are acknowledged and which ask for a retry."""

from collections.abc import Callable

from stockflow.errors import PermanentError, TransientError
from stockflow.events import CloudEventLike, subject
from stockflow.log import log
from stockflow.trace import start


def handle_event(stage: str, event: CloudEventLike, work: Callable[[], object]) -> None:
    """Do a stage's work for an event; returning acknowledges the event, raising makes Pub/Sub retry.

    A ``PermanentError`` is logged once and acknowledged: trying again cannot help. A
    ``TransientError`` is a warning and raised. Anything unexpected is an error (which alerts) and
    raised too: it is retried, then dead-lettered.
    """
    start(event)
    load = subject(event)
    try:
        work()
    except PermanentError as error:
        log("ERROR", str(error), stage=stage, code=error.code, load_id=load)
    except TransientError as error:
        log("WARNING", str(error), stage=stage, code=error.code, load_id=load)
        raise
    except Exception as error:
        log("ERROR", f"unexpected {type(error).__name__}: {error}", stage=stage, load_id=load)
        raise
