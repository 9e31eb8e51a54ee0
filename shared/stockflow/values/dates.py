"""Dates and moments, in the time zone of those who wrote them."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from stockflow.values.blanks import is_no_date
from stockflow.values.text import to_text

_OFFSET = r" ?(?:Z|UTC|GMT)| ?[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?"
_CLOCK = (
    r"(?:(?:T|,? )(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])"
    r"(?::(?P<second>[0-5][0-9])(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    rf"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?P<offset>{_OFFSET})?)?"
)
_YEAR_FIRST = re.compile(r"(?P<year>[12][0-9]{3})[-/.](?P<first>[0-9]{1,2})[-/.](?P<second_part>[0-9]{1,2})" + _CLOCK)
_YEAR_LAST = re.compile(r"(?P<first>[0-9]{1,2})[-/.](?P<second_part>[0-9]{1,2})[-/.](?P<year>[12][0-9]{3})" + _CLOCK)
_COMPACT_DAY = re.compile(r"^([0-9]{4})([0-9]{2})([0-9]{2})$")
_COMPACT = re.compile(r"^([0-9]{4})([0-9]{2})([0-9]{2})T?([0-9]{2})([0-9]{2})([0-9]{2})((?:Z|[+-][0-9:]+)?)$")
_ORDERS = {"dmy": ("second_part", "first"), "mdy": ("first", "second_part")}


@dataclass(frozen=True)
class Stated:
    """A day as it was written, the time of the day if any, and the offset from UTC if any was said."""

    day: date
    clock: timedelta
    offset: timedelta | None

    @property
    def naive(self) -> datetime:
        """The day and the time as the writer's clock showed them."""
        return datetime(self.day.year, self.day.month, self.day.day) + self.clock


def to_date(value: str | None, date_order: str = "dmy", time_zone: str = "UTC") -> date | None:
    """Return the day that a text states, or None for impossible, unordered and empty ones ("no date").

    Year first is always understood; day and month first only as ``date_order`` (dmy or mdy) says. A
    moment written in UTC counts on the day that it was in ``time_zone``: browsers write a local midnight so.
    Midnight in UTC is a day without a time, and an offset of another place keeps the day as written.
    """
    stated = _read(value, date_order)
    if stated is None:
        return None
    if stated.offset == timedelta(0) and stated.clock:
        return stated.naive.replace(tzinfo=UTC).astimezone(_zone(time_zone)).date()
    return stated.day


def to_timestamp(value: str | None, date_order: str = "dmy", time_zone: str = "UTC") -> datetime | None:
    """Return the moment, in UTC, or None.

    Without an offset it is local to ``time_zone`` (an IANA name); without a time it is that zone's midnight. An
    hour that summer time skips is read with the offset before the change (02:30 is 03:30), and so is an
    hour that comes twice (the first of both), as BigQuery's ``TIMESTAMP(datetime, zone)`` does.
    """
    stated = _read(value, date_order)
    if stated is None:
        return None
    zone = _zone(time_zone) if stated.offset is None else timezone(stated.offset)
    return stated.naive.replace(tzinfo=zone).astimezone(UTC)


def readings(value: str | None) -> tuple[date | None, date | None]:
    """Return the day when days come first and when months do; equal when the order does not matter."""
    found = [_read(value, order) for order in _ORDERS]
    return tuple(stated.day if stated else None for stated in found)  # type: ignore[return-value]


def is_year_first(value: str | None) -> bool:
    """Whether a text is a date that needs no order."""
    return bool(_YEAR_FIRST.fullmatch(spelled(to_text(value) or "")))


def spelled(text: str) -> str:
    """Return a text with the marks that a compact date (20260901, 20260901T080509Z) leaves out."""
    return _COMPACT_DAY.sub(r"\1-\2-\3", _COMPACT.sub(r"\1-\2-\3T\4:\5:\6\7", text))


@cache
def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)


def _read(value: str | None, date_order: str) -> Stated | None:
    text = to_text(value) or ""
    if not text or is_no_date(text):
        return None
    written = spelled(text)
    found, order = _YEAR_FIRST.fullmatch(written), "mdy"
    if not found:
        found, order = _YEAR_LAST.fullmatch(written), date_order
    if not found or order not in _ORDERS:
        return None
    month, day = (found[part] for part in _ORDERS[order])
    return _stated(found, _date(found["year"], month, day), _clock(found))


def _stated(found: re.Match[str], day: date | None, clock: timedelta | None) -> Stated | None:
    return None if day is None or clock is None else Stated(day, clock, _offset(found["offset"]))


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _clock(found: re.Match[str]) -> timedelta | None:
    """The time of the day; None for 13 o'clock PM."""
    hour = int(found["hour"] or 0)
    if found["half"]:
        if hour > 12:
            return None
        hour = hour % 12 + (12 if found["half"] in "Pp" else 0)
    micros = int((found["fraction"] or "")[:6].ljust(6, "0"))
    return timedelta(
        hours=hour, minutes=int(found["minute"] or 0), seconds=int(found["second"] or 0), microseconds=micros
    )


def _offset(text: str | None) -> timedelta | None:
    if not text:
        return None
    said = text.strip()
    if said in {"Z", "UTC", "GMT"}:
        return timedelta(0)
    minutes = int(said[1:3]) * 60 + int(said[3:].lstrip(":") or 0)
    return timedelta(minutes=-minutes if said[0] == "-" else minutes)
