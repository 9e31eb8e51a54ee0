"""Senders: what the files of one party have in common, said once in ``contracts/senders/<sender>.yaml``.

A profile makes a contract of its own out of a feed's: what it declares wins over what files seem to say, and over
the feed's defaults.
"""

import codecs
import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stockflow.calendar import EXPECTED, Calendar, calendar_of, is_calendar
from stockflow.contracts import Contract, known_time_zone
from stockflow.documents import read_yaml, yaml_error
from stockflow.errors import PermanentError
from stockflow.identity import digest

FOLDER = "senders"
CALENDARS = "senderCalendars"  # the property of a contract that KPIs read
ORDERS = ("dmy", "mdy", "ymd")
MARKS = (".", ",")


@dataclass(frozen=True)
class Sender:
    """A party that sends files: which objects are its own, and what is declared of them.

    ``files`` are patterns of object names (``*``: anything, also folders; ``?``: one character). ``conventions`` hold
    for all its feeds, ``feeds`` what differs in one; ``calendars``: feed -> the days on which its files are expected,
    ``locations``: feed ("": all others) -> the places that it sends for. These two decide nothing about how files are
    read.
    """

    name: str
    files: tuple[str, ...]
    conventions: Mapping[str, Any] = field(default_factory=dict)
    feeds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fingerprint: str = ""
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    locations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def pattern(self) -> str:
        """A regular expression of the whole names of its objects, as Python and BigQuery (RE2) read it."""
        return "^(?:" + "|".join(_expression(p) for p in self.files) + ")$"

    def owns(self, name: str) -> bool:
        """Whether an object is one of this sender's."""
        return re.search(self.pattern, name) is not None

    def declared(self, feed: str) -> dict[str, Any]:
        """Return what is declared of its files of a feed: property -> value."""
        own = self.feeds.get(feed, {})
        both = {k: {**self.conventions.get(k, {}), **own.get(k, {})} for k in ("headers", "defaults")}
        return {**self.conventions, **own, **{k: v for k, v in both.items() if v}}


def _expression(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(ch, re.escape(ch)) for ch in pattern)


def load_senders(contracts_dir: Path) -> tuple[Sender, ...]:
    """Return the profiles beside the contracts, by name; none when there is no such folder.

    Raises:
        PermanentError: ``bad_sender``, naming the file, the key and what was expected.
    """
    return tuple(load_sender(p) for p in sorted((contracts_dir / FOLDER).glob("*.yaml")))


def load_sender(path: Path) -> Sender:
    """Return the profile in one file."""
    text = path.read_text(encoding="utf-8")
    try:
        doc = read_yaml(text) or {}
    except yaml_error() as error:
        raise _bad(path.name, f"it is not valid YAML: {error}") from error
    if not isinstance(doc, dict):
        raise _bad(path.name, "expected keys such as timeZone, encoding, dateOrder, headers")
    return sender_from(path, doc)


def sender_from(path: Path, doc: dict[str, Any]) -> Sender:
    """Return the profile that a file says."""
    files, feeds = doc.pop("files", None) or [f"*/{path.stem}/*"], doc.pop("feeds", None) or {}
    doc.pop("description", None)
    if not _texts(files):
        raise _bad(path.name, f"files: found {files!r}, expected a list of patterns such as 'sales/{path.stem}_*.csv'")
    if not isinstance(feeds, dict) or not all(isinstance(own, dict) for own in feeds.values()):
        raise _bad(path.name, f"feeds: found {feeds!r}, expected feed names with keys such as timeZone below them")
    for where, said in (("", doc), *((f"feeds.{feed}.", own) for feed, own in feeds.items())):
        for key, value in said.items():
            _check(path.name, where, key, value)
    calendars = {feed: calendar_of(own.pop("expected")) for feed, own in feeds.items() if "expected" in own}
    places = {"": doc, **feeds}
    locations = {feed: _codes(own.pop("locations")) for feed, own in places.items() if "locations" in own}
    said = json.dumps([files, doc, feeds], sort_keys=True, default=str)
    return Sender(path.stem, tuple(files), doc, feeds, digest(said, length=12), calendars, locations)


def sender_of(name: str, senders: Iterable[Sender]) -> Sender | None:
    """Return whose an object is; None when no profile claims it.

    Raises:
        PermanentError: ``ambiguous_sender`` when several do.
    """
    found = [s for s in senders if s.owns(name)]
    if len(found) > 1:
        names = ", ".join(f"{s.name} ({', '.join(s.files)})" for s in found)
        raise PermanentError(
            "ambiguous_sender", f"{name} is a file of several senders: {names}; narrow `files` in contracts/{FOLDER}/"
        )
    return found[0] if found else None


def contract_of(contract: Contract, sender: Sender | None) -> Contract:
    """Return the contract by which a sender's files are read: the feed's, with what the profile declares.

    Raises:
        PermanentError: ``bad_sender`` when it names a column that the feed does not have.
    """
    if sender is None:
        return contract
    said = sender.declared(contract.feed)
    for key in ("headers", "defaults"):
        _check_columns(sender, contract, key)
    certain = {f"{key}Certain": True for key in ("dateOrder", "decimalMark") if key in said}
    properties = {**contract.properties, **said, **certain, "sender": sender.name}
    return replace(contract, properties=properties, fingerprint=digest(contract.fingerprint, sender.fingerprint))


def with_calendars(contracts: Mapping[str, Contract], senders: Iterable[Sender]) -> dict[str, Contract]:
    """Return the contracts with the calendars of the locations that senders name: a JSON text, by location.

    It is no part of a contract's fingerprint: a calendar decides nothing about how files are read.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for sender in senders:
        for feed, calendar in sender.calendars.items():
            for location in sender.locations.get(feed, sender.locations.get("", ())):
                found.setdefault(feed, []).extend({"location": location, **rule} for rule in calendar.stated())
    texts = {feed: _sorted_json(entries) for feed, entries in found.items() if feed in contracts}
    own = {f: replace(contracts[f], properties={**contracts[f].properties, CALENDARS: t}) for f, t in texts.items()}
    return {**contracts, **own}


def _sorted_json(entries: Iterable[dict[str, Any]]) -> str:
    return "[" + ", ".join(sorted({json.dumps(e, sort_keys=True, ensure_ascii=False) for e in entries})) + "]"


def _check_columns(sender: Sender, contract: Contract, key: str) -> None:
    """See that what is declared of this very feed names its columns; of all feeds, others are left out."""
    known = [c.name for c in contract.stated]
    said = sender.feeds.get(contract.feed, {}).get(key) or {}
    for column in said.values() if key == "headers" else said:
        if column not in known:
            raise _bad(f"{sender.name}.yaml", _unknown(f"feeds.{contract.feed}.{key}", column, known))


def _unknown(where: str, found: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(found, list(known), 1, 0.5)
    hint = f"; the nearest is {near[0]!r}" if near else ""
    return f"{where}: {found!r} is not known{hint}. Known: {', '.join(known)}"


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) and v for v in value)


def _codes(found: list[str]) -> tuple[str, ...]:
    """Return location codes as the curated tables have them: in capitals."""
    return tuple(sorted({code.strip().upper() for code in found}))


def _is_map(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(k, str) and isinstance(v, str) for k, v in value.items())


def _is_encoding(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(codecs.lookup(value))
    except LookupError:
        return False


def _is_zone(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(known_time_zone(value))
    except ValueError:
        return False


# key -> (whether a value is one, what is expected)
KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "timeZone": (_is_zone, "an IANA time zone such as Europe/Paris"),
    "encoding": (_is_encoding, "an encoding such as utf-8, cp1252 or cp850"),
    "delimiter": (lambda v: isinstance(v, str) and len(v) == 1 and v.isascii(), "one character such as ';'"),
    "decimalMark": (lambda v: v in MARKS, "'.' or ','"),
    "dateOrder": (lambda v: v in ORDERS, "dmy, mdy or ymd"),
    "sheet": (lambda v: isinstance(v, str) and bool(v), "the name of a sheet"),
    "headerLine": (lambda v: isinstance(v, int) and not isinstance(v, bool) and v > 0, "a line number, from 1 on"),
    "expected": (is_calendar, EXPECTED),
    "locations": (_texts, "a list of location codes such as [S01, S02] (in quotes where it looks like a number)"),
    "headers": (_is_map, "header: column, such as 'Art.-Nr.': sku"),
    "defaults": (_is_map, "column: value, such as location_code: S01 (in quotes where it looks like a number)"),
}


def _check(file: str, where: str, key: str, value: Any) -> None:
    if key == "expected" and not where:
        raise _bad(file, f"expected: say it of a feed, as in feeds: {{sales: {{expected: {EXPECTED}}}}}")
    if key not in KEYS:
        raise _bad(file, _unknown(f"{where}{key}", key, (*KEYS, "files", "feeds", "description")))
    valid, expected = KEYS[key]
    if not valid(value):
        raise _bad(file, f"{where}{key}: found {value!r}, expected {expected}")


def _bad(file: str, what: str) -> PermanentError:
    return PermanentError("bad_sender", f"contracts/{FOLDER}/{file}: {what}")
