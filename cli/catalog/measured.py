"""What an environment knows of each feed: values as they are written, without personal data, and quality by day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from stockflow.contracts import Contract
from stockflow.ledger import landing_day
from stockflow.services import Services

DAYS = 30
ROWS = 200  # of the newest file, in which values are looked for
VALUES, LONGEST = 3, 40  # values of a column, signs of a value
_NEWEST = """
SELECT feed, load_id, landed_on, raw_run_id
FROM inventory_ops.load_stages_latest
WHERE landed_on >= @since AND stage = 'validate' AND state = 'validated' AND raw_run_id IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY feed ORDER BY landed_at DESC, load_id) = 1
"""
_QUALITY = """
SELECT feed, landed_on, COUNT(*) AS files, SUM(`lines`) AS records, SUM(COALESCE(rejects, 0) + quarantined) AS refused,
  COUNTIF(state = 'held') AS held, COUNTIF(state = 'failed') AS failed, COUNTIF(state = 'rejected') AS rejected
FROM inventory_ops.loads
WHERE landed_on >= @since AND feed IS NOT NULL AND state NOT IN ('ignored', 'duplicate_content')
GROUP BY feed, landed_on
ORDER BY feed, landed_on DESC
"""


@dataclass(frozen=True)
class Day:
    """How the files of a feed ended that landed on a day (UTC)."""

    landed_on: date
    files: int
    records: int
    refused: int
    held: int
    failed: int
    rejected: int

    @property
    def share(self) -> float:
        """The share of refused records."""
        return self.refused / self.records if self.records else 0.0


@dataclass(frozen=True)
class Measured:
    """What is known of a feed. ``samples``: column -> values; columns with personal data are not among them."""

    samples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    days: Sequence[Day] = ()


def measured(services: Services) -> dict[str, Measured]:
    """Return feed -> what the environment knows of it: two queries of the ledger, and one of raw for each feed."""
    since = landing_day(services.clock()) - timedelta(days=DAYS)
    newest = {row["feed"]: row for row in services.warehouse.query(_NEWEST, {"since": since})}
    days: dict[str, list[Day]] = {}
    for row in services.warehouse.query(_QUALITY, {"since": since}):
        numbers: dict[str, Any] = {name: value or 0 for name, value in row.items() if name != "feed"}
        days.setdefault(row["feed"], []).append(Day(**numbers))
    return {
        feed: Measured(_samples(contract, newest.get(feed), services), days.get(feed, ()))
        for feed, contract in services.contracts.items()
    }


def _samples(contract: Contract, load: Mapping[str, Any] | None, services: Services) -> dict[str, list[str]]:
    """Return values of the newest file that was let through: one partition, and the blocks of one load."""
    names = [c.name for c in contract.stated if not c.pii]
    if load is None or not names:
        return {}
    sql = f"""
        SELECT {", ".join(f"`{name}`" for name in names)}
        FROM inventory_raw.{contract.feed}
        WHERE _landed_on = @day AND _load_id = @load AND _run_id = @run AND _row <= {ROWS}
        ORDER BY _row
    """
    of_load = {"day": load["landed_on"], "load": load["load_id"], "run": load["raw_run_id"]}
    rows = services.warehouse.query(sql, of_load)
    return {name: _some(row[name] for row in rows) for name in names}


def _some(values: Iterable[str | None]) -> list[str]:
    """Return the first different values, cut when they are long."""
    found = dict.fromkeys(" ".join(value.split())[:LONGEST] for value in values if value and value.strip())
    return list(found)[:VALUES]
