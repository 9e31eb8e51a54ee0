"""Contracts: one Open Data Contract Standard v3 document per feed, read with plain YAML."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stockflow.documents import read_yaml, yaml_error
from stockflow.errors import PermanentError
from stockflow.identity import digest
from stockflow.settings import bundle_root
from stockflow.vocabulary import shared

MASK = "•••••"  # shown in the place of a personal value
_HOUR, _DAY, _WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
_UNITS = {
    **dict.fromkeys(("h", "hour", "hours"), _HOUR),
    **dict.fromkeys(("d", "day", "days"), _DAY),
    **dict.fromkeys(("w", "week", "weeks"), _WEEK),
}


@dataclass(frozen=True)
class Rule:
    """One quality rule. ``severity`` is critical (row), warning (report) or load (whole load).

    ``expected`` says what is accepted, in words; None leaves that to the expectation.
    """

    id: str
    expectation: str
    column: str | None
    kwargs: dict[str, Any]
    severity: str
    description: str
    expected: str | None = None


@dataclass(frozen=True)
class Column:
    """One column of a feed: what it is called, what it holds and how people write it.

    ``aliases`` are the contract's own and those of ``vocabulary``, the meanings that it takes from the shared list.
    ``fallbacks`` are aliases that mean this column only when no better header is there. ``closed`` says that the
    text is a word of a closed vocabulary, so that ``NULL``, ``N/A`` or ``-`` can only mean "no value".
    """

    name: str
    logical_type: str
    physical_type: str
    description: str = ""
    required: bool = False
    key_position: int | None = None
    aliases: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    unit: str | None = None
    pii: bool = False
    derived: bool = False
    closed: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What a cell holds, as ``values.is_blank`` asks it: the logical type, or ``word``."""
        return "word" if self.closed else self.logical_type


@dataclass(frozen=True)
class Contract:
    """What one feed promises. Schemas, expectations and docs are derived from it.

    ``fresh_within`` is the age of the newest load after which the feed is late; None when nothing is promised.
    """

    feed: str
    version: str
    description: str
    owner: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    properties: dict[str, Any]
    fresh_within: timedelta | None
    fingerprint: str

    @cached_property
    def key(self) -> tuple[str, ...]:
        """The business key's columns, in order."""
        keyed = [(c.key_position, c.name) for c in self.columns if c.key_position is not None]
        return tuple(name for _, name in sorted(keyed))

    @cached_property
    def stated(self) -> tuple[Column, ...]:
        """The columns that people write in files (not derived ones)."""
        return tuple(c for c in self.columns if not c.derived)

    @cached_property
    def business_date(self) -> str | None:
        """The column that dates a fact; None for a dimension."""
        value = self.properties.get("businessDate")
        return str(value) if value else None

    @cached_property
    def business_time(self) -> str | None:
        """The column that says which statement is newer; None means the object's creation time."""
        value = self.properties.get("businessTime")
        return str(value) if value else None

    @property
    def time_zone(self) -> str:
        """The IANA time zone of local times in this feed's files: ``timeZone``, else the pipeline's ``time_zone``."""
        return str(self.properties["timeZone"])

    def column(self, name: str) -> Column:
        """Return the column of that name.

        Raises:
            KeyError: when the contract has no such column.
        """
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {c.name: c for c in self.columns}

    @cached_property
    def headers(self) -> dict[str, str]:
        """Normalised header -> column name, for names and aliases of the stated columns."""
        names = {normalise_header(h): c.name for c in self.stated for h in (c.name, *c.aliases)}
        stated = {c.name for c in self.stated}
        told = self.properties.get("headers") or {}  # of the file's sender
        return names | {normalise_header(h): c for h, c in told.items() if c in stated}

    @cached_property
    def reading(self) -> str:
        """The hash of what decides how a file is read: columns, their names and forms, properties; no row rules."""
        columns = [replace(c, description="") for c in self.columns]
        needed = [r.kwargs for r in self.rules if r.expectation == "stockflow_columns_present"]
        return digest(columns, needed, self.properties, length=12)


def normalise_header(text: str) -> str:
    """Return a header without case, accents, blanks and punctuation: ``Qté en stock`` -> ``qteenstock``.

    One of nothing but punctuation (``#``) stays as it is: it is not a blank header.
    """
    return _short(text) if len(text) <= _SHORT else _normalised(text)


def _normalised(text: str) -> str:
    plain = (text if text.isascii() else unicodedata.normalize("NFKD", text)).casefold()
    return "".join(filter(str.isalnum, plain)) or "".join(plain.split())


# The first lines of a file are looked through with each delimiter; a longer text hardly comes again, and fills memory.
_SHORT = 200
_short = lru_cache(maxsize=4096)(_normalised)


def load_contracts(folder: Path) -> dict[str, Contract]:
    """Return the contracts in ``folder`` by feed.

    Raises:
        PermanentError: ``bad_contract``, naming the file, when one cannot be read.
    """
    return {c.feed: c for c in (load_contract(p) for p in sorted(Path(folder).glob("*.yaml")))}


def load_contract(path: Path) -> Contract:
    """Return the contract in one file."""
    try:
        return _read(path.read_text(encoding="utf-8"))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, yaml_error()) as error:
        raise PermanentError("bad_contract", f"{path.name}: {type(error).__name__}: {error}") from error


@lru_cache(maxsize=64)
def _read(text: str) -> Contract:
    """Return the contract that a text says; read once, however often a process asks: nobody changes a contract."""
    doc = read_yaml(text)
    table = doc["schema"][0]
    properties = _custom(doc)
    zone = properties["timeZone"] = known_time_zone(str(properties.get("timeZone") or default_time_zone()))
    rules = [_rule(q, None, i) for i, q in enumerate(table.get("quality") or [])]
    for prop in table["properties"]:
        rules += [_rule(q, prop["name"], i) for i, q in enumerate(prop.get("quality") or [])]
    return Contract(
        feed=table["name"],
        version=str(doc["version"]),
        description=table.get("description", ""),
        owner=_owner(doc.get("team")),
        columns=tuple(_column(p) for p in table["properties"]),
        rules=tuple(rules),
        properties=properties,
        fresh_within=_fresh_within({s["property"]: s for s in doc.get("slaProperties") or []}),
        fingerprint=digest(text, zone, length=12),
    )


@cache
def default_time_zone() -> str:
    """Return ``time_zone`` of ``pipeline.yaml``: the zone of feeds whose contract names none."""
    loaded = read_yaml((bundle_root() / "pipeline.yaml").read_text(encoding="utf-8"))
    return str(loaded["time_zone"])


def known_time_zone(name: str) -> str:
    """Return the name of a time zone.

    Raises:
        ValueError: when this machine has time zones, and not this one.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        if _has_zones():
            raise ValueError(f"timeZone: {name!r} is not an IANA time zone such as Europe/Paris") from error
    return name


def _has_zones() -> bool:
    try:
        ZoneInfo("Europe/Paris")
    except ZoneInfoNotFoundError:
        return False
    return True


def _fresh_within(sla: dict[str, dict[str, Any]]) -> timedelta | None:
    """The latency, else the frequency; units by the standard's "d, day, days", and hours and weeks likewise."""
    said = sla.get("latency") or sla.get("frequency") or {}
    if said.get("value") is None:
        return None
    unit = str(said.get("unit", "d")).lower()
    if unit not in _UNITS:
        raise ValueError(f"slaProperties, {said['property']}: unit {unit!r} is none of {', '.join(sorted(_UNITS))}")
    return float(said["value"]) * _UNITS[unit]


def _owner(team: Any) -> str:
    members = team.get("members", []) if isinstance(team, dict) else (team or [])
    names = [m.get("username") or m.get("name") for m in members if m.get("role", "owner") == "owner"]
    return str(names[0]) if names else ""


def _custom(node: dict[str, Any]) -> dict[str, Any]:
    return {p["property"]: p["value"] for p in node.get("customProperties") or []}


def _column(prop: dict[str, Any]) -> Column:
    custom = _custom(prop)
    taken = custom.get("vocabulary") or ()
    taken = (taken,) if isinstance(taken, str) else tuple(taken)
    common = shared(taken)
    names = [str(a) for a in custom.get("aliases") or ()] + [n for meaning in common for n in meaning.names]
    weak = [str(f) for f in custom.get("fallbackAliases") or ()] + [n for meaning in common for n in meaning.weak]
    return Column(
        name=prop["name"],
        logical_type=prop["logicalType"],
        physical_type=prop["physicalType"],
        description=prop.get("description", ""),
        required=bool(prop.get("required")),
        key_position=int(prop.get("primaryKeyPosition", 1)) if prop.get("primaryKey") else None,
        aliases=_different(names, prop["name"]),
        vocabulary=taken,
        fallbacks=_different(weak, prop["name"]),
        formats=tuple(str(f) for f in custom.get("formats") or ()),
        unit=custom.get("unit"),
        pii="pii" in (prop.get("tags") or ()),
        derived=bool(custom.get("derived")),
        closed=bool(custom.get("closedVocabulary")),
        options=dict(prop.get("logicalTypeOptions") or {}),
    )


def _different(names: Iterable[str], column: str) -> tuple[str, ...]:
    """Return names, each header once, without the column's own."""
    found = {normalise_header(column): column}
    return tuple(n for n in names if found.setdefault(normalise_header(n), n) is n)


def _rule(item: dict[str, Any], column: str | None, index: int) -> Rule:
    body = item["implementation"]
    custom = _custom(item)
    return Rule(
        id=str(item.get("name") or item.get("rule") or f"{column or 'table'}_{body['type']}_{index}"),
        expectation=body["type"],
        column=body.get("kwargs", {}).get("column", column),
        kwargs={k: v for k, v in (body.get("kwargs") or {}).items() if k != "column"},
        severity=custom.get("severity") or item.get("severity", "critical"),
        description=item.get("description", ""),
        expected=custom.get("expected"),
    )
