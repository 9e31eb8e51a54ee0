"""The days on which a file is expected, in the sender's time zone. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXPECTED = "{days: [mon, tue], by: '08:00', except: [2026-12-25], from: 2026-10-01}, or a list of such"
_DAY = timedelta(days=1)
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_LONGEST = 400  # days back until a day that is expected is found


@dataclass(frozen=True)
class Rule:
    """``days`` of the week (0: Monday), the local time of that day ``by`` which (None: its end), and days off.

    It holds from ``start`` on (None: always).
    """

    days: frozenset[int]
    by: time | None = None
    off: frozenset[date] = frozenset()
    start: date | None = None

    def expects(self, day: date) -> bool:
        """Whether a file is expected of a day."""
        return day.weekday() in self.days and day not in self.off


@dataclass(frozen=True)
class Calendar:
    """Rules, the earliest first: each holds until the next one does."""

    rules: tuple[Rule, ...]

    def rule(self, day: date) -> Rule | None:
        """Return the rule that holds on a day; None before the first one."""
        return next((r for r in reversed(self.rules) if r.start is None or r.start <= day), None)

    def stated(self) -> list[dict[str, Any]]:
        """Return what SQL reads of it, rule by rule: the weekdays (1: Monday) as one text, the days off, its days.

        ``from`` is the first day of a rule, ``until`` the first day of the next one; they are left out where a rule has
        always held or still holds.
        """
        ends = [*(str(r.start) for r in self.rules[1:]), None]
        return [_stated(rule, end) for rule, end in zip(self.rules, ends, strict=True)]

    def due(self, now: datetime, zone: str) -> tuple[datetime, datetime] | None:
        """Return when the last day that is over by now began, and its time limit (UTC); None when there is none."""
        place = ZoneInfo(zone)
        day = now.astimezone(place).date()
        for _ in range(_LONGEST):
            rule = self.rule(day)
            if rule is None:
                return None
            limit = _local(day, rule.by, place) if rule.by else _local(day + _DAY, time(), place)
            if rule.expects(day) and limit <= now:
                return _local(day, time(), place), limit
            day -= _DAY
        return None


def _stated(rule: Rule, until: str | None) -> dict[str, Any]:
    held = {"from": str(rule.start) if rule.start else None, "until": until}
    said = {"weekdays": "".join(str(d + 1) for d in sorted(rule.days)), "off": sorted(map(str, rule.off))}
    return said | {name: day for name, day in held.items() if day}


def _local(day: date, at: time, place: ZoneInfo) -> datetime:
    return datetime.combine(day, at, place).astimezone(UTC)


def is_calendar(value: Any) -> bool:
    """Whether a profile states a calendar: one rule, or several that begin on days of their own."""
    rules = value if isinstance(value, list) else [value]
    if not rules or not all(map(_is_rule, rules)):
        return False
    starts = [rule.get("from") for rule in rules]
    return len(set(starts)) == len(starts)


def _is_rule(value: Any) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {"days", "by", "except", "from"}:
        return False
    days, by, off = value.get("days"), value.get("by"), value.get("except", [])
    named = days == "daily" or (isinstance(days, list) and bool(days) and all(d in DAYS for d in days))
    timed = by is None or (isinstance(by, str) and _TIME.fullmatch(by) is not None)
    begun = "from" not in value or _is_day(value["from"])
    return named and timed and begun and isinstance(off, list) and all(map(_is_day, off))


def _is_day(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def calendar_of(value: dict[str, Any] | list[dict[str, Any]]) -> Calendar:
    """Return the calendar that a profile states."""
    rules = [_rule(one) for one in (value if isinstance(value, list) else [value])]
    return Calendar(tuple(sorted(rules, key=lambda rule: rule.start or date.min)))


def _rule(value: dict[str, Any]) -> Rule:
    days = range(7) if value["days"] == "daily" else (DAYS.index(d) for d in value["days"])
    by = time.fromisoformat(value["by"]) if value.get("by") else None
    return Rule(frozenset(days), by, frozenset(value.get("except", [])), value.get("from"))
