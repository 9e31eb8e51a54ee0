"""Which files are the same export from one day to the next: a sender's folder, and a name without its dates. Pure."""

import re

_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:[T_ .-]?(?:[01]\d|2[0-3])[.:h_-]?[0-5]\d(?:[.:_-]?[0-5]\d(?:[.,]\d{1,6})?)?Z?(?!\d))?"
_SEQUENCE = r"(?:[_ .-]?\(\d{1,3}\)|[_ .-]v?\d{1,3}(?![\dA-Za-z]))?"
_DATES = (
    rf"{_YEAR}([-_. /]?){_MONTH}\1{_DAY}(?!\d){_CLOCK}{_SEQUENCE}",
    rf"{_YEAR}([-_. /]?){_MONTH}\2{_DAY}(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?(?!\d){_SEQUENCE}",
    rf"{_DAY}([-_. ]?){_MONTH}\3{_YEAR}(?!\d){_CLOCK}{_SEQUENCE}",
    rf"{_MONTH}([-_. ]?){_DAY}\4{_YEAR}(?!\d){_CLOCK}{_SEQUENCE}",
    rf"{_YEAR}[-_. /]?(?:[Ww](?:0[1-9]|[1-4]\d|5[0-3])|[Qq][1-4]|{_MONTH})(?!\d){_SEQUENCE}",
    rf"[2-4]\d{_MONTH}{_DAY}(?!\d){_CLOCK}{_SEQUENCE}",
    r"1[5-9]\d{8}(?:\d{3})?(?!\d)",  # seconds, or milliseconds, since 1970
    rf"{_YEAR}(?!\d)",
)
_DATE = re.compile(rf"(?<!\d)(?:{'|'.join(_DATES)})")


def series(object_name: str) -> str:
    """Return an object's name with its dates left open: ``sales/store_12_20260901.csv`` -> ``sales/store_12_#.csv``.

    A time, or a number of the day's file, that follows the date is part of it. All other digits stay: ``store_12`` and
    ``store_13`` are two series.
    """
    return _DATE.sub("#", object_name)
