"""Values of contracts and header in a definition's SQL: ``/* feed.property */ 7`` becomes what they say. Pure.

``/* thresholds.name */ 180`` is a value of the definition's own header; ``/* feed.senderCalendars */ '[]'`` is a text:
the calendars of locations that senders' profiles state, as JSON.

So the file runs in the BigQuery console as it stands, and no number is decided in two places.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from functions.kpi.definition import Definition
from stockflow.contracts import Contract
from stockflow.errors import PermanentError
from stockflow.known_calendars import UNKNOWN
from stockflow.senders import CALENDARS

_CALENDARS = re.compile(rf"(/\*\s*\w+\.{CALENDARS}\s*\*/\s*)'(?:[^'\\]|\\.)*'")
_PARAMETER = re.compile(r"(/\*\s*(\w+)\.(\w+)\s*\*/\s*)(\d+|'[^']*')")


def with_values(definition: Definition, contracts: Mapping[str, Contract]) -> Definition:
    """Return the definition as the contracts have it: its version follows from their values, too.

    Raises:
        PermanentError: ``bad_definition`` naming a value that no contract has; ``bad_sender`` where it needs the
            calendars of profiles, and one of them cannot be known.
    """

    def value(found: re.Match[str]) -> str:
        mark, feed, name, written = found.groups()
        if name == CALENDARS:
            if why := _properties(contracts, feed).get(UNKNOWN):
                what = f"it waits: the days on which sales are expected are not known. {why}"
                raise PermanentError("bad_sender", f"{definition.name}.sql: {what}")
            text = _properties(contracts, feed).get(name)
            return found[0] if text is None else f"{mark}{text_literal(text)}"
        known = definition.thresholds if feed == "thresholds" else _properties(contracts, feed)
        if written.startswith("'") or not isinstance(known.get(name), int):
            line = definition.first_line + definition.sql.count("\n", 0, found.start())
            what = f"{feed}.{name} is not a whole number of a contract's customProperties or of the header's thresholds"
            raise PermanentError("bad_definition", f"{definition.name}.sql:{line}: {what}", line=line)
        return f"{mark}{known[name]}"

    return replace(definition, sql=_PARAMETER.sub(value, definition.sql))


def without_calendars(sql: str) -> str:
    """Return the SQL of a definition as if no profile stated a calendar: its examples know none."""
    return _CALENDARS.sub(r"\1'[]'", sql)


def text_literal(text: str) -> str:
    """Return a text as BigQuery's SQL writes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _properties(contracts: Mapping[str, Contract], feed: str) -> Mapping[str, Any]:
    return contracts[feed].properties if feed in contracts else {}
