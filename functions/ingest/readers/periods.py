"""Periods of messages: a part of a day has hours, which tell it from the other parts; midnight ends the day before."""

from datetime import datetime, timedelta

_WHOLE = timedelta(hours=23, minutes=59)  # until 23:59 is written for a whole day, too
_LENGTHS = (16, 24)  # of a period without a hyphen: two days, or two days with their times


def span_of(text: str) -> tuple[str, str]:
    """Return begin and end of a period, written with a hyphen or without one; the end of a single time is blank."""
    if len(text) in _LENGTHS and text.isdigit():
        return text[: len(text) // 2], text[len(text) // 2 :]
    begin, _, end = text.partition("-")
    return begin, end


def hours_of(begin: str, end: str) -> str:
    """Return the hours of a period that is shorter than a day, as in ``0800-1200``; blank for any other."""
    first, last = _time(begin), _time(end)
    if first is None or last is None or not timedelta(0) < last - first < _WHOLE:
        return ""
    return f"{begin[8:12]}-{end[8:12]}"


def last_day(begin: str, end: str) -> str:
    """Return the day on which a period ends that ends at midnight: the day before; blank for any other period."""
    first, last = _time(begin), _time(end)
    if first is None or last is None or last <= first or end[8:12] != "0000":
        return ""
    return f"{last - timedelta(days=1):%Y-%m-%d}"


def _time(text: str) -> datetime | None:
    """Return the time of ``202609010800``, with or without seconds; None of anything else, as of a day."""
    if len(text) not in (12, 14) or not text.isdigit() or not text.isascii():
        return None
    ends = text[8:12] == "2400"
    try:
        found = datetime.strptime(f"{text[:8]}0000" if ends else text[:12], "%Y%m%d%H%M")
        return found + timedelta(days=ends)
    except (ValueError, OverflowError):
        return None
