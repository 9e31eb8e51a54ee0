"""Which loads have rows that were kept long enough: what has ended cannot be counted any more."""

from collections.abc import Mapping
from datetime import date

from stockflow.ledger import StageRecord, landing_day
from stockflow.retention import Days, first_day, first_month, limited
from stockflow.services import Services


class Ended:
    """What retention says of today."""

    def __init__(self, days: Days, services: Services) -> None:
        self._today = landing_day(services.clock())
        self._raw = limited("raw", days, services.contracts)
        self._curated = limited("curated", days, services.contracts)
        lines = [n for n in (days["quarantine"], days["rejects"]) if n]
        self._refused = first_day(min(lines), self._today) if lines else None

    def in_raw(self, stages: Mapping[str, StageRecord]) -> bool:
        """Whether raw rows or refused lines of a load have ended."""
        record = stages["ingest"]
        first = first_day(self._raw.get(record.feed or "", 0), self._today)
        return _before(record.landed_on, first) or _before(record.landed_on, self._refused)

    def in_curated(self, stages: Mapping[str, StageRecord]) -> bool:
        """Whether some of a load's rows, or of its refused ones, have ended: those of its oldest business dates."""
        record = stages["ingest"]
        first = first_month(self._curated.get(record.feed or "", 0), self._today)
        dates = stages["transform"].detail.get("dates") or [] if "transform" in stages else []
        oldest = min([record.landed_on, *(date.fromisoformat(day) for day in dates)])
        return _before(oldest, first) or _before(record.landed_on, self._refused)


def _before(day: date, first: date | None) -> bool:
    return first is not None and day <= first
