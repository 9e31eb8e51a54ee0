"""The days on which a file is expected, in the sender's time zone. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXPECTED = "{days: [mon, tue], by: '08:00', except: [2026-12-25]}"  # how it is written
_DAY = timedelta(days=1)
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_LONGEST = 400  # days back until a day that is expected is found


@dataclass(frozen=True)
class Calendar:
    """``days`` of the week (0: Monday), the local time of that day ``by`` which (None: its end), and days off."""

    days: frozenset[int]
    by: time | None = None
    off: frozenset[date] = frozenset()

    def stated(self) -> dict[str, Any]:
        """Return what SQL reads of it: the weekdays (1: Monday) as one text, and the days off."""
        return {"weekdays": "".join(str(d + 1) for d in sorted(self.days)), "off": sorted(map(str, self.off))}

    def due(self, now: datetime, zone: str) -> tuple[datetime, datetime] | None:
        """Return when the last day that is over by now began, and its time limit (UTC); None when there is none."""
        place = ZoneInfo(zone)
        day = now.astimezone(place).date()
        for _ in range(_LONGEST):
            limit = _local(day, self.by, place) if self.by else _local(day + _DAY, time(), place)
            if day.weekday() in self.days and day not in self.off and limit <= now:
                return _local(day, time(), place), limit
            day -= _DAY
        return None


def _local(day: date, at: time, place: ZoneInfo) -> datetime:
    return datetime.combine(day, at, place).astimezone(UTC)


def is_calendar(value: Any) -> bool:
    """Whether a profile states a calendar."""
    if not isinstance(value, dict) or not value.keys() <= {"days", "by", "except"}:
        return False
    days, by, off = value.get("days"), value.get("by"), value.get("except", [])
    named = days == "daily" or (isinstance(days, list) and bool(days) and all(d in DAYS for d in days))
    timed = by is None or (isinstance(by, str) and _TIME.fullmatch(by) is not None)
    return named and timed and isinstance(off, list) and all(isinstance(d, date) for d in off)


def calendar_of(value: dict[str, Any]) -> Calendar:
    """Return the calendar that a profile states."""
    days = range(7) if value["days"] == "daily" else (DAYS.index(d) for d in value["days"])
    by = time.fromisoformat(value["by"]) if value.get("by") else None
    return Calendar(frozenset(days), by, frozenset(value.get("except", [])))
