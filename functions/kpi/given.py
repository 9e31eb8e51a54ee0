"""Values of the contracts in a definition's SQL: ``/* feed.property */ 7`` becomes what the contract says. Pure.

So the file runs in the BigQuery console as it stands, and no number is decided in two places.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from functions.kpi.definition import Definition
from stockflow.contracts import Contract
from stockflow.errors import PermanentError

_GIVEN = re.compile(r"(/\*\s*(\w+)\.(\w+)\s*\*/\s*)(\d+)")


def with_values(definition: Definition, contracts: Mapping[str, Contract]) -> Definition:
    """Return the definition as the contracts have it: its version follows from their values, too.

    Raises:
        PermanentError: ``bad_definition`` naming a value that no contract has.
    """

    def value(found: re.Match[str]) -> str:
        mark, feed, name, _ = found.groups()
        known = contracts[feed].properties if feed in contracts else {}
        if not isinstance(known.get(name), int):
            line = definition.first_line + definition.sql.count("\n", 0, found.start())
            what = f"{feed}.{name} is no number of a contract's customProperties"
            raise PermanentError("bad_definition", f"{definition.name}.sql:{line}: {what}", line=line)
        return f"{mark}{known[name]}"

    return replace(definition, sql=_GIVEN.sub(value, definition.sql))
