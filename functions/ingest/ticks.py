"""What is done at a tick: every ten minutes a sweep and what is late, every minute the receipts of what ended."""

from datetime import timedelta

from functions.ingest.expected import tell_expected
from functions.ingest.freshness import tell_freshness
from functions.ingest.lineage.tell import tell_lineage
from functions.ingest.orphans import remove_orphans_daily
from functions.ingest.receipts.tell import tell_receipts
from functions.ingest.sweep import sweep
from stockflow.errors import TransientError
from stockflow.events import RECEIPTS_TICK, StageEvent
from stockflow.log import log
from stockflow.services import Services

LISTING = timedelta(seconds=20)  # a bucket of millions of objects is gone through over several ticks
LOOK_BACK = timedelta(days=31)  # as long as Pub/Sub keeps events; `stockflow sweep` looks at all objects


def at_tick(tick: StageEvent, services: Services) -> None:
    """Do what a tick asks for.

    Raises:
        TransientError: what a sweep could not do now. Receipts wait for the next tick: it is a minute away.
    """
    if tick != RECEIPTS_TICK:
        _sweep(services)
        return
    try:
        tell_receipts(services)
    except TransientError as error:
        log("WARNING", f"receipts wait for the next tick: {error}", stage="sweep", code=error.code)


def _sweep(services: Services) -> None:
    sweep(services, look_back=LOOK_BACK, listing=LISTING)
    tell_freshness(services)
    tell_expected(services)
    remove_orphans_daily(services)
    tell_lineage(services)
