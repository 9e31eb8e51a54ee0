"""The calendars of senders' profiles, also of those that are wrong elsewhere: KPIs need no more of a profile."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stockflow.contracts import Contract
from stockflow.documents import read_yaml, yaml_error
from stockflow.errors import PermanentError
from stockflow.senders import FOLDER, KEYS, Sender, load_sender, sender_from, with_calendars

UNKNOWN = "senderCalendarsUnknown"  # the property of a contract that says why its KPIs have to wait
_OWN = ("expected", "locations")
_OTHERS = ("files", "feeds", "description")


@dataclass(frozen=True)
class Profiles:
    """The profiles that can be read, and what is wrong with the others.

    Of those in ``read_in_part`` the calendar is among ``senders``: only something else is wrong. ``unknown`` are the
    faults of profiles whose calendar nobody can know.
    """

    senders: tuple[Sender, ...] = ()
    read_in_part: tuple[PermanentError, ...] = ()
    unknown: tuple[PermanentError, ...] = ()


def read_profiles(contracts_dir: Path) -> Profiles:
    """Return what the profiles say of their calendars; one that is wrong hides no other."""
    found = Profiles()
    for path in sorted((contracts_dir / FOLDER).glob("*.yaml")):
        found = _with(found, path)
    return found


def contracts_with_calendars(contracts: Mapping[str, Contract], profiles: Profiles) -> dict[str, Contract]:
    """Return the contracts with the calendars that are known; all of them say so when one is not."""
    found = with_calendars(contracts, profiles.senders)
    if not profiles.unknown:
        return found
    why = "; ".join(fault.message for fault in profiles.unknown)
    return {feed: replace(c, properties={**c.properties, UNKNOWN: why}) for feed, c in found.items()}


def _with(found: Profiles, path: Path) -> Profiles:
    try:
        return replace(found, senders=(*found.senders, load_sender(path)))
    except PermanentError as error:
        fault = error
    try:
        sender = sender_from(path, _calendar_only(path, fault))
    except PermanentError:
        return replace(found, unknown=(*found.unknown, fault))
    return replace(found, senders=(*found.senders, sender), read_in_part=(*found.read_in_part, fault))


def _calendar_only(path: Path, fault: PermanentError) -> dict[str, Any]:
    """Return what a profile says of its calendar.

    An unknown key may be a misspelt calendar, and text that is not YAML may be anything: then it is not known.
    """
    try:
        doc = read_yaml(path.read_text(encoding="utf-8"))
    except (yaml_error(), UnicodeDecodeError):
        raise fault from None
    feeds = doc.get("feeds") or {} if isinstance(doc, dict) else None
    if not isinstance(feeds, dict) or not all(isinstance(own, dict) for own in feeds.values()):
        raise fault
    if any(key not in (*KEYS, *_OTHERS) for key in _keys(doc, feeds)):
        raise fault
    return {**_own(doc), "feeds": {feed: _own(own) for feed, own in feeds.items()}}


def _keys(doc: Mapping[str, Any], feeds: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield from doc
    for own in feeds.values():
        yield from own


def _own(said: Mapping[str, Any]) -> dict[str, Any]:
    return {key: said[key] for key in _OWN if key in said}
