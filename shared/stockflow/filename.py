"""The date that a file's name may hold."""

import re
from calendar import monthrange
from datetime import date
from pathlib import PurePosixPath

_YMD = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_. ]?)(\d\d)\2(\d\d)(?:[T_ -]?\d{4}(?:\d\d)?(?![-\d]))?(?!\d)")
_DMY = re.compile(r"(?<!\d)(\d\d)([-_.])(\d\d)\2((?:19|20)\d\d)(?!\d)")
_WEEK = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_. ]?[WwSs](\d\d)(?!\d)")  # W36; S36 in French and Spanish
_MONTH = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.](0[1-9]|1[0-2])(?![-_.]?\d)")
_FOLDERS = re.compile(r"(?<!\d)((?:19|20)\d\d)(/)(\d\d)/(\d\d)(?!\d)")


def date_in(name: str) -> str | None:
    """Return the one date (ISO) in a file's name, else in its folders; None when there is none or several."""
    path = PurePosixPath(name)
    return _only(path.name) or _only(str(path.parent))


def days_in(name: str) -> tuple[date, date] | None:
    """Return the first and the last day that a name speaks of: of its one date, else its one week or month."""
    if day := date_in(name):
        return date.fromisoformat(day), date.fromisoformat(day)
    weeks, months = ({m.groups() for m in pattern.finditer(name)} for pattern in (_WEEK, _MONTH))
    if len(weeks or months) != 1:
        return None
    return _week(*weeks.pop()) if weeks else _month(*months.pop())


def _week(year: str, week: str) -> tuple[date, date] | None:
    try:
        return date.fromisocalendar(int(year), int(week), 1), date.fromisocalendar(int(year), int(week), 7)
    except ValueError:
        return None


def _month(year: str, month: str) -> tuple[date, date]:
    last = monthrange(int(year), int(month))[1]
    return date(int(year), int(month), 1), date(int(year), int(month), last)


def _only(text: str) -> str | None:
    found = {d for m in (*_YMD.finditer(text), *_FOLDERS.finditer(text)) if (d := _iso(m[1], m[3], m[4]))}
    if not found:
        found = {d for m in _DMY.finditer(text) for d in _both_orders(m)}
    return found.pop() if len(found) == 1 else None


def _both_orders(m: re.Match[str]) -> list[str]:
    """Day before month and month before day: when both are dates, the name says nothing certain."""
    return [d for d in (_iso(m[4], m[3], m[1]), _iso(m[4], m[1], m[3])) if d]


def _iso(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
