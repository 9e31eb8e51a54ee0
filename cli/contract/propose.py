"""A contract proposed from one file: what its headers and values suggest, each guess with its reason."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Facts, Target
from stockflow import values
from stockflow.contracts import Column, Contract, normalise_header
from stockflow.errors import PermanentError
from stockflow.filename import date_in
from stockflow.schema import pipeline
from stockflow.settings import Settings
from stockflow.vocabulary import shared

MOST_ROWS = 10_000  # rows that are looked at
_PHYSICAL = {"string": "STRING", "integer": "INT64", "number": "NUMERIC", "date": "DATE", "timestamp": "TIMESTAMP",
             "boolean": "STRING"}  # fmt: skip
_CODE = re.compile(r"0[0-9]+")  # a number with leading zeros is a code
_KEYS = ("document_number", "order_number", "receipt_number", "line_number", "business_date", "sku", "location_code",
         "supplier_code", "currency")  # fmt: skip


@dataclass
class Proposal:
    """A contract as plain data, and why it says what it says."""

    feed: str
    document: dict[str, Any] = field(default_factory=dict)
    guesses: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return the contract as YAML, the guesses above it as comments."""
        comments = "".join(f"# - {line}\n" for line in self.guesses)
        body = yaml.safe_dump(self.document, sort_keys=False, allow_unicode=True, width=110)
        return f"# A proposal. Look at each guess, then delete these lines:\n{comments}{body}"


@dataclass
class _Seen:
    """A column of the file: its header, and its values in the order of the rows."""

    header: str
    texts: list[str | None]

    @property
    def filled(self) -> list[str]:
        return [t for t in self.texts if t is not None and not values.is_blank(t, "string")]


def propose(path: Path, feed: str, contracts: Mapping[str, Contract]) -> Proposal:
    """Return the contract that a file suggests for a new feed.

    Raises:
        PermanentError: when the file cannot be read, or has no row.
    """
    proposal, facts = Proposal(feed), Facts()
    columns = _columns(path, feed, facts)
    formats = values.detect_formats(*_samples(columns))
    described = [_describe(c, contracts, formats, proposal.guesses) for c in columns]
    _unique_names(described)
    date = _business_date(described, path, proposal.guesses)
    key = _key(described, columns, proposal.guesses)
    for place, name in enumerate(key, 1):
        column = next(d for d in described if d["name"] == name)
        column |= {"required": True, "primaryKey": True, "primaryKeyPosition": place}
    proposal.document = _document(feed, described, key, date, formats)
    said = f"read as {facts.format}, decimal mark {formats.decimal_mark!r}, dates {formats.date_order}"
    proposal.guesses.insert(0, f"{path.name}: {said}; {len(columns[0].texts):,} rows were looked at")
    return proposal


def _columns(path: Path, feed: str, facts: Facts) -> list[_Seen]:
    """Read the file as ingest does, for a contract that knows no column."""
    unknown = Contract(feed, "0", "", "", (), (), {"timeZone": "UTC"}, None, "")
    target = Target(unknown, f"{feed}/{path.name}")
    found: dict[str, list[str | None]] = {}
    count = 0
    with path.open("rb") as stream:
        for row in _rows(stream, target, facts):
            for name in row.keys() - found.keys():
                found[name] = [None] * count
            for name, texts in found.items():
                texts.append(row.get(name))
            count += 1
    if not count:
        raise PermanentError("empty_file", f"{path} has no row: nothing to guess from")
    order = [h for h in facts.values.get("header") or [] if h in found]
    return [_Seen(name, found[name]) for name in dict.fromkeys([*order, *found])]


def _rows(stream: Any, target: Target, facts: Facts) -> Iterator[dict[str, str | None]]:
    count = 0
    for chunk in decode(stream, target, facts, Settings.max_file_bytes):
        for text in chunk.batch.column("_extra").to_pylist() if chunk.batch is not None else ():
            row = json.loads(text or "{}")
            yield {k: v if v is None or isinstance(v, str) else json.dumps(v) for k, v in row.items()}
            count += 1
            if count == MOST_ROWS:
                return


def _samples(columns: Sequence[_Seen]) -> tuple[list[str], list[str]]:
    """Return what may be numbers, and what may be dates."""
    texts = [t for c in columns for t in c.filled]
    return [t for t in texts if values.to_number(t, ".") is not None or values.to_number(t, ",") is not None], texts


def _describe(
    seen: _Seen, contracts: Mapping[str, Contract], formats: values.Formats, guesses: list[str]
) -> dict[str, Any]:
    """Return a column as a contract has it."""
    known = _known(seen.header, contracts)
    kind, why = _kind(seen, formats)
    name = known[1].name if known else name_of(seen.header)
    if known and known[1].logical_type == "string":
        kind, why = "string", "as in the other feeds"
    required = len(seen.filled) == len(seen.texts)
    source = f" (as in {known[0]})" if known else ""
    guesses.append(
        f"{seen.header!r} is {name}{source}: {kind}, {why}" + ("; never blank: required" if required else "")
    )
    return {
        "name": name,
        "logicalType": kind,
        "physicalType": _PHYSICAL[kind],
        **({"required": True} if required else {}),
        "description": known[1].description if known else f"What the file states under {seen.header!r}.",
        "customProperties": _aliases(seen.header, known[1] if known else None, name),
    }


def _aliases(header: str, known: Column | None, name: str) -> list[dict[str, Any]]:
    """Return where a column's headers come from: the shared vocabulary, and the names of this file and that column."""
    common = list(known.vocabulary) if known else []
    taken = {normalise_header(n) for meaning in shared(common) for n in meaning.names} | {normalise_header(name)}
    kept = []
    for alias in (header.strip(), *(known.aliases if known else ())):
        if normalise_header(alias) not in taken:
            taken.add(normalise_header(alias))
            kept.append(alias)
    listed = [{"property": "vocabulary", "value": common}] if common else []
    return [*listed, {"property": "aliases", "value": kept}] if kept or not common else listed


def _known(header: str, contracts: Mapping[str, Contract]) -> tuple[str, Column] | None:
    """Return the feed and the column that know a header; most feeds agree on the name."""
    found = [(f, c.column(n)) for f, c in contracts.items() if (n := c.headers.get(normalise_header(header)))]
    names = [column.name for _, column in found]
    return max(found, key=lambda pair: names.count(pair[1].name)) if found else None


def _kind(seen: _Seen, formats: values.Formats) -> tuple[str, str]:
    texts, mark, order = seen.filled, formats.decimal_mark, formats.date_order
    if not texts:
        return "string", "since it has no value"
    if {t.lower() for t in texts} <= {"true", "false"}:  # as a text, a file's own booleans would be refused
        return "boolean", "each value is true or false"
    if any(_CODE.fullmatch(t) for t in texts):
        return "string", "since a value begins with a zero"
    numbers = [values.to_number(t, mark) for t in texts]
    if all(n is not None for n in numbers):
        whole = all(n == n.to_integral_value() for n in numbers if isinstance(n, Decimal))
        return ("integer", "each value is a whole number") if whole else ("number", "each value is a number")
    if all(values.to_date(t, order, "UTC") for t in texts):
        timed = any(":" in t for t in texts)
        return ("timestamp", "each value is a time") if timed else ("date", "each value is a date")
    return "string", f"since {next(t for t in texts if values.to_number(t, mark) is None)!r} is a text"


def name_of(header: str) -> str:
    """Return a header as a column's name: ``Prix TTC (€)`` -> prix_ttc."""
    plain = unicodedata.normalize("NFKD", header).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or "column"
    return f"c_{name}" if name[0].isdigit() else name


def _unique_names(columns: list[dict[str, Any]]) -> None:
    """Number the columns that would have the name of another one, and leave them their own header only."""
    taken: set[str] = set()
    headers: set[str] = set()
    for column in columns:
        base, count = column["name"], 2
        while column["name"] in taken:
            column["name"] = f"{base}_{count}"
            count += 1
        taken.add(column["name"])
        kept = [a for a in column["customProperties"][0]["value"] if normalise_header(a) not in headers]
        column["customProperties"][0]["value"] = kept
        headers |= {normalise_header(h) for h in (column["name"], *kept)}


def _business_date(columns: list[dict[str, Any]], path: Path, guesses: list[str]) -> str | None:
    """Return the column that dates a row."""
    dates = [c for c in columns if c["logicalType"] == "date" and c.get("required")]
    dates.sort(key=lambda c: c["name"] != "business_date")
    if not dates:
        inside = f"; the file's name says {day}" if (day := date_in(path.name)) else ""
        guesses.append(f"no column that is never blank holds dates: rows are master data, not dated facts{inside}")
        return None
    guesses.append(f"{dates[0]['name']} dates a row (businessDate)")
    return str(dates[0]["name"])


def _key(columns: list[dict[str, Any]], seen: list[_Seen], guesses: list[str]) -> list[str]:
    """Return the fewest columns that tell each row from all others, usual ones first."""
    usable = [i for i, c in enumerate(columns) if c.get("required") and c["logicalType"] != "number"]
    usable.sort(key=lambda i: _KEYS.index(columns[i]["name"]) if columns[i]["name"] in _KEYS else len(_KEYS) + i)
    count = len(seen[0].texts)
    for size in (1, 2, 3, 4):
        for places in combinations(usable[:8], size):
            if all(columns[i]["logicalType"] in ("date", "timestamp") for i in places):
                continue  # that no day comes twice is chance
            if len(set(zip(*(seen[i].texts for i in places), strict=True))) == count:
                names = [columns[i]["name"] for i in places]
                guesses.append(f"{', '.join(names)} together are in no two rows: the key. Is that so for every sender?")
                return names
    names = [columns[i]["name"] for i in (usable or range(len(columns)))[:3]]
    guesses.append(f"no few columns tell rows apart; {', '.join(names)} stand as the key: look at it first")
    return names


def _document(
    feed: str, columns: list[dict[str, Any]], key: list[str], date: str | None, formats: values.Formats
) -> dict[str, Any]:
    title = feed.replace("_", " ").capitalize()
    order = "dmy" if formats.date_order == "ymd" else formats.date_order
    properties: list[dict[str, Any]] = [{"property": "kind", "value": "fact" if date else "dimension"}]
    properties += [{"property": "businessDate", "value": date}] if date else []
    properties += [
        {"property": "baseCurrency", "value": pipeline()["base_currency"]},
        {"property": "dateOrder", "value": order},
        {"property": "decimalMark", "value": formats.decimal_mark},
    ]
    return {
        "apiVersion": "v3.0.2", "kind": "DataContract", "id": f"stockflow.inventory.{feed}", "name": title,
        "version": "1.0.0", "status": "draft", "domain": "inventory",
        "description": {"purpose": f"{title}: say what for."},
        "team": [{"username": "owner-to-be-named", "role": "owner"}],
        "slaProperties": [{"property": "latency", "value": 26, "unit": "h"}],
        "customProperties": properties,
        "schema": [{
            "name": feed, "physicalName": feed, "logicalType": "object", "physicalType": "table",
            "description": title, "dataGranularityDescription": f"One row per {', '.join(key)}.",
            "properties": columns, "quality": _rules(columns, key, date),
        }],
    }  # fmt: skip


def _rules(columns: list[dict[str, Any]], key: list[str], date: str | None) -> list[dict[str, Any]]:
    needed = [c["name"] for c in columns if c.get("required") and c["name"] in {*key, date}]
    rules = [
        _rule("key_columns_present", "load", "completeness", f"no value at all under one of: {', '.join(needed)}.",
              {"type": "stockflow_columns_present", "kwargs": {"columns": needed}}),
        _rule("key_unique_in_file", "warning", "uniqueness", f"two rows have the same {', '.join(key)}.",
              {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": key}}),
    ]  # fmt: skip
    if date:
        kwargs = {"column": date, "max_days": 1}
        rules.append(_rule(f"{date}_not_future", "critical", "accuracy", "the date lies after the file landed.",
                           {"type": "stockflow_not_after_landing", "kwargs": kwargs}))  # fmt: skip
    return rules


def _rule(name: str, severity: str, dimension: str, when: str, implementation: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name, "type": "custom", "engine": "greatExpectations", "dimension": dimension, "severity": severity,
        "description": f"Breaks when {when}", "implementation": implementation,
    }  # fmt: skip
