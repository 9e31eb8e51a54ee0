"""What the reading of a file left in doubt: why, and the command that settles it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from cli import wording
from cli.texts import said
from local.dashboard import page

_SHOWN = 12
HEADS = ("File", "Feed", "In doubt", "What settles it")
_NEW = "stockflow sender new {sender} --from {file}"
_ACCEPT = "stockflow sender accept {sender} --from {file}"
_EXPLAIN = "stockflow explain {file}"
# What is in doubt -> the command that settles it, and what to do with it.
SETTLED = {
    "decimal mark": (_NEW, "and state `decimalMark` in the profile"),
    "date order": (_NEW, "and state `dateOrder` in the profile"),
    "encoding": (_NEW, "and state `encoding` in the profile"),
    "columns": (_ACCEPT, "takes the columns that are proposed; any other goes under `headers` of the profile"),
    "measures": (
        _EXPLAIN,
        "shows the header: name the column under `headers` of the profile, or ask the sender for it",
    ),
    "periods": (_EXPLAIN, "says which: ask the sender for one line a day"),
    "not read": (_EXPLAIN, "says which: ask the sender for a message that this feed reads"),
}
# As ``str`` of ``stockflow.values.formats.Doubt`` writes it.
_TWO_WAYS = re.compile(
    r"(?P<what>[\w ]+): (?P<count>[\d,]+) values? could be read two ways(?: \((?P<shown>.+)\))?, "
    r"the (?P<who>[\w ]+) says (?P<chosen>.+)"
)
CHOSE = {"contract": "the contract", "delimiter": "the delimiter"}
AGAIN = (
    "Each was loaded by a default, or without it. Once its profile says more, "
    "`stockflow replay --stage ingest --stale` reads these files again."
)


@dataclass(frozen=True)
class Doubt:
    """One thing that is in doubt: what kind it is, and what is told of it."""

    kind: str
    told: str


def draw(found: Sequence[Mapping[str, Any]]) -> None:
    """Draw the newest files in doubt; nothing is said of the others."""
    if not found:
        page.card(said("Nothing is in doubt"), said("every file could be read in one way only"))
        return
    page.newest(said("In doubt"), int(found[0]["files"]), _SHOWN)
    st.html(f'<div class="sf-card"><p>{page.coded(said(AGAIN))}</p></div>')
    body = "".join(_row(load, doubt) for load in found[:_SHOWN] for doubt in doubts(load))
    head = page.heads(*HEADS)
    st.html(f'<div class="sf-scroll"><table class="sf-table"><tr>{head}</tr>{body}</table></div>')


def doubts(load: Mapping[str, Any]) -> Iterator[Doubt]:
    """Yield what ingest and validate left in doubt of a load."""
    ingest, judged = (json.loads(load[stage] or "{}") for stage in ("ingest", "validate"))
    for text in judged.get("ambiguous") or ():
        yield _two_ways(text)
    if signs := ingest.get("encoding_doubt"):
        sure = wording.whole_percent(ingest.get("encoding_confidence") or 0.0)
        what = said("encoding {encoding} is a guess ({sure} sure)", encoding=ingest.get("encoding"), sure=sure)
        yield Doubt("encoding", f"{what}: {', '.join(signs)}")
    if columns := ingest.get("unused_columns"):
        yield Doubt("columns", said("columns not used: {columns}", columns=unused(columns)))
    if absent := ingest.get("absent_measures"):
        told = said("no column states {columns}: what is computed from it is missing", columns=", ".join(absent))
        yield Doubt("measures", told)
    if ingest.get("periods"):
        yield Doubt("periods", said("it states periods of several days; each is recorded on its last day"))
    for counted in (ingest.get("quantities_not_read"), ingest.get("messages_not_read")):
        if counted:
            kinds = ", ".join(f"{kind} ({number})" for kind, number in counted.items())
            yield Doubt("not read", said("not read: {kinds}", kinds=kinds))


def unused(columns: Iterable[Mapping[str, Any]]) -> str:
    """Return headers that no alias knows, each with the column that may be meant."""
    return ", ".join(map(_unused, columns))


def _unused(column: Mapping[str, Any]) -> str:
    if not column.get("nearest"):
        return repr(column["header"])
    sure = f", {wording.whole_percent(column['confidence'])}" if column.get("confidence") else ""
    return f"{column['header']!r} ({said('nearest: {column}', column=column['nearest'])}{sure})"


def _two_ways(text: str) -> Doubt:
    """Return values that could be read two ways in the reader's language."""
    found = _TWO_WAYS.fullmatch(text)
    if not found or found["what"] not in SETTLED:
        return Doubt("decimal mark", text)
    shown = f" ({found['shown'].replace(' is ', ' = ').replace(' or ', ' / ')})" if found["shown"] else ""
    who = said(CHOSE.get(found["who"], "the contract"))
    count = wording.count(int(found["count"].replace(",", "")), "value")
    told = said(
        "{what}: {count} could be read two ways{shown}; {who} says \"{chosen}\"",
        what=said(found["what"]), count=count, shown=shown, who=who,
        chosen=found["chosen"],
    )  # fmt: skip
    return Doubt(found["what"], told)


def _row(load: Mapping[str, Any], doubt: Doubt) -> str:
    command, then = SETTLED[doubt.kind]
    folders = (load["object"] or "").split("/")
    sender = folders[1] if len(folders) > 2 else said("SENDER")
    run = command.format(sender=sender, file=folders[-1])
    return (
        f"<tr><td>{escape(load['object'] or '')}</td><td>{escape(load['feed'] or '')}</td>"
        f"<td>{escape(doubt.told)}</td><td><code>{escape(run)}</code> {page.coded(said(then))}</td></tr>"
    )
