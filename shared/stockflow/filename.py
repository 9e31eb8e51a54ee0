"""The date that a file's name may hold."""

import re
from datetime import date
from pathlib import PurePosixPath

_YMD = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_. ]?)(\d\d)\2(\d\d)(?:[T_ -]?\d{4}(?:\d\d)?(?![-\d]))?(?!\d)")
_DMY = re.compile(r"(?<!\d)(\d\d)([-_.])(\d\d)\2((?:19|20)\d\d)(?!\d)")
_FOLDERS = re.compile(r"(?<!\d)((?:19|20)\d\d)(/)(\d\d)/(\d\d)(?!\d)")


def date_in(name: str) -> str | None:
    """Return the one date (ISO) in a file's name, else in its folders; None when there is none or several."""
    path = PurePosixPath(name)
    return _only(path.name) or _only(str(path.parent))


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
