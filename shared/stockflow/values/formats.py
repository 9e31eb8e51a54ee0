"""How one load writes numbers and dates, from what its own cells prove."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from stockflow.values.blanks import is_blank
from stockflow.values.dates import is_year_first, readings
from stockflow.values.numbers import bare_amount
from stockflow.values.text import to_text

MARK, ORDER = "decimal mark", "date order"
VALUES, FILE_NAME, COMMA, SENDER, CONTRACT = "values", "file name", "decimal comma", "sender", "contract"
PROFILE = "sender profile"
DELIMITER = "delimiter"
_MARK_BESIDE = {";": ","}  # spreadsheets separate cells with ; where the comma is the decimal mark
_EXAMPLES = 3
_DOTTED = re.compile(r"[0-9]{1,2}\.")


@dataclass(frozen=True)
class Doubt:
    """Values that could be read two ways, and what decided: the file name, the sender's earlier files, the contract...

    ``examples`` are texts as written with both readings of each (``.`` and ``,``; or days first and months first).
    """

    what: str
    count: int
    chosen: str
    decided_by: str
    examples: tuple[tuple[str, str, str], ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(f"{text} is {one} or {other}" for text, one, other in self.examples)
        readings = f" ({shown})" if shown else ""
        values = "1 value" if self.count == 1 else f"{self.count:,} values"
        return f"{self.what}: {values} could be read two ways{readings}, the {self.decided_by} says {self.chosen}"


@dataclass(frozen=True)
class Formats:
    """How one load writes numbers and dates.

    ``ambiguous`` names, with examples, what had to fall back on the contract's default; ``doubts`` are all values
    with two readings, also where the file name or the sender decided; ``decided_by`` says for the decimal mark and
    the date order what decided (``values``, ``file name``, ``decimal comma``, ``sender``, ``delimiter``, ``contract``).
    ``contradictions`` names values that speak against the choice (they will be refused or, worse, misread: a person
    should look).
    """

    decimal_mark: str
    date_order: str
    ambiguous: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    decided_by: Mapping[str, str] = field(default_factory=dict)
    time_zone: str = "UTC"

    @property
    def unproved(self) -> list[str]:
        """What only the contract's default or the delimiter decided: a person should look."""
        return [str(d) for d in self.doubts if d.decided_by in (CONTRACT, DELIMITER)]


@dataclass(frozen=True)
class _Choice:
    chosen: str
    decided_by: str
    doubts: tuple[Doubt, ...] = ()
    contradictions: tuple[str, ...] = ()


def detect_formats(
    numbers: Iterable[str | None],
    dates: Iterable[str | None],
    decimal_mark: str = ".",
    date_order: str = "dmy",
    *,
    file_date: date | None = None,
    file_days: tuple[date, date] | None = None,
    sender: Mapping[str, str] | None = None,
    declared: Mapping[str, str] | None = None,
    delimiter: str | None = None,
) -> Formats:
    """Return the conventions of a whole load from all its number and date cells.

    One value that can be read one way only decides. Where none does, the date order is the one in which a value is
    the day in the file's name (``file_date``), or among the days that it speaks of (``file_days``, first and last);
    else days come first beside a decimal comma; else ``sender`` says what the same sender's earlier files proved
    (``{"decimal mark": ",", "date order": "mdy"}``); else a comma is the decimal mark where ``;`` separates cells; else
    ``decimal_mark`` and ``date_order``, the contract's. What the sender's profile says (``declared``, like ``sender``)
    is never overridden: values that cannot be read that way are contradictions.
    """
    known, told = sender or {}, declared or {}
    days = (file_date, file_date) if file_date else file_days
    mark = _vote(
        MARK,
        ((t, mark_evidence(t)) for t in numbers),
        _Fallback(None, known.get(MARK), decimal_mark, told=told.get(MARK), beside=_MARK_BESIDE.get(delimiter or "")),
    )
    # Who writes the month first writes a decimal point.
    european = mark.chosen == "," and mark.decided_by == VALUES
    fallback = _Fallback(days, known.get(ORDER), date_order, european, told.get(ORDER))
    order = _vote(ORDER, ((t, order_evidence(t)) for t in dates), fallback)
    doubts = mark.doubts + order.doubts
    return Formats(
        mark.chosen,
        order.chosen,
        tuple(str(d) for d in doubts if d.decided_by == CONTRACT),
        mark.contradictions + order.contradictions,
        doubts,
        {MARK: mark.decided_by, ORDER: order.decided_by},
    )


def mark_evidence(value: str | None) -> str | None:
    """Return the decimal mark that a number proves, ``?`` when it could be either, None when it has none."""
    text = (bare_amount(value) or "").strip("()")
    comma, point = text.count(","), text.count(".")
    if not comma and not point:
        return None
    if comma and point:
        return "," if text.rfind(",") > text.rfind(".") else "."
    mark, other = (",", ".") if comma else (".", ",")
    if comma + point > 1:
        return other
    whole, _, fraction = text.lstrip("+-").partition(mark)
    grouped = re.fullmatch("[1-9][0-9]{0,2}", whole) and re.fullmatch("[0-9]{3}-?", fraction)
    return "?" if grouped else mark


def order_evidence(value: str | None) -> str | None:
    """Return the date order that a date proves, ``?`` when it could be either, None when it proves none."""
    if is_year_first(value):
        return "ymd"
    days_first, months_first = readings(value)
    if days_first == months_first:
        return None
    if days_first and months_first:
        return "dmy" if _DOTTED.match(to_text(value) or "") else "?"
    return "dmy" if days_first else "mdy"


@dataclass(frozen=True)
class _Fallback:
    """What decides where no value does, best first."""

    file_days: tuple[date, date] | None
    sender: str | None
    contract: str
    european: bool = False
    told: str | None = None
    beside: str | None = None  # the decimal mark that goes with the delimiter, if all the doubtful numbers have it


def _vote(what: str, evidence: Iterable[tuple[str | None, str | None]], fallback: _Fallback) -> _Choice:
    votes: Counter[str] = Counter()
    doubtful: list[str] = []
    for text, found in evidence:
        if found == "?" and text:
            doubtful.append(text)
        elif found is not None and not is_blank(text, "date"):
            votes[found] += 1
    if fallback.told:
        return _told(what, votes, fallback.told)
    iso = votes.pop("ymd", 0)
    if votes:
        return _majority(what, votes, fallback.contract)
    if not doubtful:
        return _Choice("ymd" if iso else fallback.contract, VALUES if iso else CONTRACT)
    return _doubted(what, doubtful, fallback)


def _told(what: str, votes: Counter[str], told: str) -> _Choice:
    others = {k: n for k, n in votes.items() if k not in (told, "ymd")}
    clash = tuple(f"{what}: the sender's profile says {told}, {n} values say {k}" for k, n in others.items())
    return _Choice(told, PROFILE, (), clash)


def _majority(what: str, votes: Counter[str], default: str) -> _Choice:
    best = max(votes, key=lambda k: (votes[k], k == default))
    rest = {k: n for k, n in votes.items() if k != best}
    clash = tuple(f"{what}: {votes[best]} values say {best}, {n} say {k}" for k, n in rest.items())
    return _Choice(best, VALUES, (), clash)


def _doubted(what: str, texts: list[str], fallback: _Fallback) -> _Choice:
    named = _order_by_name(texts, fallback.file_days)
    beside = fallback.beside if all(fallback.beside in t for t in texts if fallback.beside) else None
    proofs = (
        (named, FILE_NAME),
        ("dmy" if fallback.european else None, COMMA),
        (fallback.sender, SENDER),
        (beside, DELIMITER),
    )
    chosen, by = next(((order, by) for order, by in proofs if order), (fallback.contract, CONTRACT))
    doubt = Doubt(what, len(texts), chosen, by, tuple(_example(what, t) for t in texts[:_EXAMPLES]))
    return _Choice(chosen, by, (doubt,))


def _order_by_name(texts: list[str], file_days: tuple[date, date] | None) -> str | None:
    """The order in which a value is a day that the file's name speaks of, when only one of both has such a value."""
    if file_days is None:
        return None
    first, last = file_days
    days_first, months_first = (
        any(first <= (found[i] or date.min) <= last for found in map(readings, texts)) for i in (0, 1)
    )
    if days_first == months_first:
        return None
    return "dmy" if days_first else "mdy"


def _spoken(day: date | None) -> str:
    return "no date" if day is None else f"{day.day} {day:%B %Y}"


def _example(what: str, text: str) -> tuple[str, str, str]:
    if what == MARK:
        plain = (bare_amount(text) or "").replace(",", ".")
        return text, plain, plain.replace(".", "")
    one, other = readings(text)
    return text, _spoken(one), _spoken(other)
