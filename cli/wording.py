"""How figures, changes and reasons are written for a reader."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from cli.texts import LANGUAGE, said, separators

NO_VALUE, UNCHANGED = "n/a", "no change"

REASONS = {
    "no_demand": "nothing was sold in the window",
    "no_stock": "there was no stock",
    "no_cost": "no cost is known",
    "no_price": "no price is known",
    "missing_days": "too many days have no snapshot",
    "missing_sales": "sales are expected and did not come",
    "mixed_uom": "quantities are in different units",
    "stale": "the last snapshot is too old",
    "no_orders": "no order fell due",
    "no_receipts": "nothing was received",
    "no_cycle": "there are no two deliveries to look between",
    "no_book": "the counts name no book quantity",
    "no_promised_date": "no order line has a promised date",
    "no_receipt_date": "no receipt has a date",
    "no_lead_time": "no lead time is known",
    "no_shipment": "it is not known yet what was shipped",
    "no_ship_date": "no shipment has a date",
    "one_receipt": "one receipt alone has no spread",
    "no_data": "no data is known",
    "not_computed": "nothing was computed for this date",
    "not computed yet": "not computed yet",
}
# Size, its name, and from where it is used: 9,870 is shown whole, 12.3 k is not.
_SIZES = ((1e9, " bn", 1e9), (1e6, " M", 1e6), (1e3, " k", 1e4))
_CURRENCIES = {"EUR": "€", "GBP": "£", "USD": "$"}
_FRACTIONS = {"share", "fraction"}
_COUNTED = {"units", "SKUs"}
_PERCENTS = {"%", "percent", "pct"}
NOUNS = ("day", "file", "line", "row", "reject", "value")


def reason(code: str | None) -> str:
    """Return a reason code as words; an unknown code is shown as it is."""
    if code is None:
        return ""
    return said(REASONS.get(code, code.replace("_", " ")))


def ending(state: str, code: str | None, message: str | None) -> str:
    """Return how a load ended, and why: a code that says no more than the state is left out."""
    return ": ".join(dict.fromkeys(part for part in (state, code, message) if part))


def figure(value: float | None, unit: str) -> str:
    """Return a value with its unit, short enough for a tile: ``€1.24 M``, ``3.4 %``, ``28.1 days``."""
    if value is None:
        return said(NO_VALUE)
    number, suffix = parts(value, unit)
    return f"{number}{suffix}" if suffix == " %" or not suffix else f"{number} {suffix.strip()}"


def filled(meaning: str, value: float | None, unit: str) -> str:
    """Return a KPI's sentence with its figure in the place of ``{value}``; nothing while there is no figure."""
    if "{value}" not in meaning:
        return meaning
    return "" if value is None else meaning.replace("{value}", short(value, unit))


def short(value: float, unit: str) -> str:
    """Return a value for a chart whose title names the unit: words left out, signs kept."""
    number, suffix = parts(value, unit)
    return number + suffix if suffix == " %" else number


def parts(value: float, unit: str) -> tuple[str, str]:
    """Return (number, unit) so that a tile can set them in two sizes."""
    if unit in _FRACTIONS:
        return _plain(value * 100), " %"
    if unit in _PERCENTS:
        return _plain(value), " %"
    if unit in _CURRENCIES:
        return _money(value, _CURRENCIES[unit]), ""
    if unit.split(" ", maxsplit=1)[0] in _COUNTED and value == int(value) and abs(value) < 1000:
        return f"{value:.0f}", said(unit)
    return _short(value), said(unit)


def _money(value: float, sign: str) -> str:
    minus, amount = "-" if value < 0 else "", _short(abs(value))
    return f"{minus}{amount} {sign}" if LANGUAGE.get() == "fr" else f"{minus}{sign}{amount}"


def signed(value: float, unit: str) -> str:
    """Return a change with its sign: ``+€1.24 M``, ``-3.4 pt``, ``+28.1 days``."""
    if unit in _FRACTIONS or unit in _PERCENTS:
        return separators(f"{value * (100 if unit in _FRACTIONS else 1):+,.2f} pt")
    return f"{'+' if value >= 0 else '-'}{figure(abs(value), unit)}"


def change(difference: float | None, previous: float | None, unit: str) -> str:
    """Return the change from a week before: points for percentages, per cent of it otherwise."""
    if difference is None or previous is None:
        return said("no figure a week before")
    if difference == 0:
        return said(UNCHANGED)
    if unit in _FRACTIONS or unit in _PERCENTS:
        points = difference * (100 if unit in _FRACTIONS else 1)
        return separators(f"{points:+.1f} pt") if abs(points) >= 0.05 else said(UNCHANGED)
    if previous == 0:
        return f"{'+' if difference > 0 else '-'}{figure(abs(difference), unit)}"
    share = 100 * difference / abs(previous)
    return separators(f"{share:+.1f} %") if abs(share) >= 0.05 else said(UNCHANGED)


def axis_format(unit: str) -> str:
    """Return the d3 number format of an axis in that unit."""
    if unit in _FRACTIONS:
        return ",.1~%"
    return "~s" if unit in _CURRENCIES or unit == "units" else ",.2~f"


def beyond(alarm: str, low: float | None, high: float | None, unit: str) -> str:
    """Return which threshold a value has left: ``above 5 %``, ``below 4 turns per year``, or nothing."""
    if alarm == "high":
        return said("above {limit}", limit=limit(high, unit))
    return said("below {limit}", limit=limit(low, unit)) if alarm == "low" else ""


def limit(value: float | None, unit: str) -> str:
    """Return a threshold, without decimals that say nothing."""
    if value is None:
        return said(NO_VALUE)
    number, suffix = parts(value, unit)
    point = separators(".")
    short = number.rstrip("0").rstrip(point) if point in number else number
    return short + suffix if suffix in ("", " %") else f"{short} {suffix.strip()}"


def silences(runs: Iterable[tuple[date, date, str]]) -> str:
    """Return why a KPI has no value on some days: ``No value on 6 days: nothing was sold in the window.``"""
    days: Counter[str] = Counter()
    for first, last, why in runs:
        days[why] += (last - first).days + 1
    told = [said("on {days}: {reason}", days=count(n, "day"), reason=reason(why)) for why, n in days.most_common(2)]
    return said("No value {when}.", when="; ".join(told)) if told else ""


def day(value: date | None) -> str:
    """Return a date such as ``Mon 23 Nov 2026``."""
    if value is None:
        return said("no date")
    return f"{said(f'{value:%a}')} {value.day} {said(f'{value:%b}')} {value.year}"


def days(first: date, last: date) -> str:
    """Return a date, or the first and the last one of several."""
    return day(first) if first == last else said("{first} to {last}", first=day(first), last=day(last))


def ago(moment: datetime | None, now: datetime) -> str:
    """Return how long ago something happened: ``12 s ago``, ``3 h ago``, ``2 days ago``."""
    return said("never") if moment is None else said("{span} ago", span=span(now - moment))


def span(length: timedelta) -> str:
    """Return a length of time in its largest sensible unit."""
    seconds = max(0, int(length.total_seconds()))
    for size, name in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size or (name == "day" and seconds >= size):
            return count(seconds // size, name) if name == "day" else f"{seconds // size} {name}"
    return f"{seconds} s"


def count(number: int, noun: str) -> str:
    """Return ``1 row``, ``12 rows``, ``1,200 rows``."""
    return f"{whole(number)} {said(noun if number == 1 else f'{noun}s')}"


def whole(number: int) -> str:
    """Return a number of things: ``1,200``."""
    return separators(f"{number:,}")


def whole_percent(share: float) -> str:
    """Return a share as a whole per cent, rounded down: 99.99 % is not all of it."""
    return f"{int(100 * share + 1e-9)} %"


def _short(value: float) -> str:
    size, suffix = next(((s, t) for s, t, least in _SIZES if abs(value) >= least), (1.0, ""))
    return f"{_plain(value / size)}{said(suffix)}"


def _plain(value: float) -> str:
    if value == 0:
        return "0"
    magnitude = abs(value)
    decimals = 0 if magnitude >= 1000 else 1 if magnitude >= 10 else 2
    return separators(f"{value:,.{decimals}f}")


def parsed(value: Any) -> list[Any]:
    """Return a list that a view gives as JSON: as text on BigQuery, decoded on the emulator, None for none."""
    found: list[Any] = json.loads(value) if isinstance(value, str) else value or []
    return found
