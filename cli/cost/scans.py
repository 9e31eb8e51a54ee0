"""What each statement of the hot path reads: which tables, which columns, how many days of them.

The columns come from the statements themselves. Days follow from their parameters; a test compares the tables that are
named here with those of the statements.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from functions.ingest.duplicates import _SAME_CONTENTS
from functions.ingest.duplicates import LOOK_BACK as CONTENT_LOOK_BACK
from functions.transform.files import template
from functions.transform.merge import drain_script
from stockflow.contracts import Contract
from stockflow.ledger import _LATEST, _STORIES, _UNCOMPUTED, RECENT

LEDGER, ATTEMPTS, QUARANTINE = (
    f"inventory_ops.{name}" for name in ("load_stages", "stage_attempts", "quarantine_rows")
)
_WEEK = RECENT.days + 1


@dataclass(frozen=True)
class Scan:
    """One table of one statement: the days of it that are read, whatever its age. ``by_load`` means that the columns
    by which the table is clustered are filtered, so that blocks of other loads are left out.
    """

    table: str
    days: float
    by_load: bool = False
    only: frozenset[str] | None = None


@dataclass(frozen=True)
class Statement:
    """A statement of a stage, and what it reads."""

    stage: str
    name: str
    sql: str
    scans: tuple[Scan, ...]


def statements(contract: Contract) -> list[Statement]:
    """Return the statements that a new file of this feed costs; those of replays and of KPIs are not among them."""
    feed, story = contract.feed, _STORIES.format(days="landed_on IN UNNEST(@days)")
    latest = _LATEST.format(days="landed_on IN UNNEST(@days)")
    asked = (Scan(LEDGER, 1, by_load=True), Scan(ATTEMPTS, 1, by_load=True))
    pending = (Scan(LEDGER, _WEEK), Scan(QUARANTINE, _WEEK), Scan(ATTEMPTS, _WEEK))
    return [
        Statement("ingest", "story", story, asked),
        Statement("ingest", "same contents", _SAME_CONTENTS, (Scan(LEDGER, CONTENT_LOOK_BACK.days + 2),)),
        Statement("validate", "story", story, asked),
        Statement("transform", "pending", template("pending.sql"), pending),
        Statement("transform", f"drain of {feed}", drain_script(contract), tuple(_drain(contract))),
        Statement("kpi", "uncomputed", _UNCOMPUTED, (Scan(LEDGER, _WEEK),)),
        Statement("kpi", "latest", latest, (Scan(LEDGER, 1, by_load=True),)),
    ]


def _drain(contract: Contract) -> Iterable[Scan]:
    """A drain of loads that are new: what the history is read for, is replays and newer generations (``restating``)."""
    curated = f"inventory_curated.{contract.feed}"
    yield Scan(LEDGER, 1, by_load=True)
    yield Scan(f"inventory_raw.{contract.feed}", 1, by_load=True)
    yield Scan(QUARANTINE, 1, by_load=True)
    if not contract.business_date:
        yield Scan(curated, 1)  # a dimension: as many rows as it has, not more with time
        return
    yield Scan(curated, FILE_DAYS)
    if contract.business_date not in contract.key:
        # the date that a document had before: by the column that the table is clustered by
        yield Scan(curated, 1, by_load=True, only=frozenset({*contract.key, contract.business_date}))


FILE_DAYS = 1  # business dates that a file is about; curated tables are clustered by date within their months


def columns_in(sql: str, schema: Iterable[Mapping[str, str]]) -> frozenset[str]:
    """Return the columns of a table that a statement names: at least those that it reads."""
    words = set(re.findall(r"\w+", sql))
    return frozenset(c["name"] for c in schema if c["name"] in words)


_REFERENCE = re.compile(r"(?i)\b(?:FROM|JOIN|INTO|UPDATE|DELETE FROM)\s+([a-z_][\w.]*)")


_NAMED_QUERY = re.compile(r"(?i)(?:\bWITH|,)\s+([a-z_]\w*) AS \(")


def references(sql: str) -> int:
    """Return how many tables the statements of a script name, each statement for itself: each has a least price.

    The named queries of a WITH are no tables.
    """
    text = re.sub(r"--[^\n]*", "", sql)
    return sum(len(set(_REFERENCE.findall(piece)) - set(_NAMED_QUERY.findall(piece))) for piece in text.split(";"))
