"""Which days are over: their facts are no longer kept, so what goes of them changes no day that is."""

from datetime import date

from stockflow.ledger import landing_day
from stockflow.retention import first_month, limited
from stockflow.schema import pipeline
from stockflow.services import Services


def kept_from(services: Services) -> date | None:
    """Return the first day of which all facts are kept; None where no feed's facts end."""
    today = landing_day(services.clock())
    ends = limited("curated", pipeline()["retention"], services.contracts).values()
    return max((first for days in ends if (first := first_month(days, today))), default=None)


def still_kept(days: set[date], first: date | None) -> set[date]:
    """Return the days that are not over."""
    return days if first is None else {day for day in days if day >= first}
