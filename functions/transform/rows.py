"""Loads whose rows are not those that their records count.

Fewer rows may be on their way: a stream becomes visible row by row. More rows than were recorded, or one row more than
once, never become right by waiting.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from functions.transform.files import template
from functions.transform.plan import VALIDATED, Load
from stockflow.errors import TransientError
from stockflow.services import Services

# Rows show within seconds (``VISIBLE_SECONDS``); Pub/Sub delivers their load some eight times in so long.
LATE = timedelta(minutes=10)


@dataclass(frozen=True)
class Difference:
    """What a record counts of a load, how many rows there are, and how many of those are different ones."""

    load: Load
    expected: int
    found: int
    different: int

    code = "raw_rows_differ"

    @property
    def facts(self) -> dict[str, Any]:
        """The numbers."""
        return {"expected": self.expected, "found": self.found, "different": self.different}

    def is_final(self, now: datetime) -> bool:
        """Whether waiting cannot put it right, or has not."""
        is_wrong = self.found > self.expected or self.different < self.found
        return is_wrong or now - self.load.row["validated_at"] > LATE

    @property
    def words(self) -> str:
        """What is there, what should be, and what helps."""
        load, rows = self.load.load_id, _rows(self.found)
        twice = f", {self.found - self.different} of them more than once" if self.different < self.found else ""
        return (
            f"raw holds {rows} of run {self.load.row['raw_run_id']}{twice}; ingest recorded {self.expected}. "
            f"`stockflow replay --stage ingest --load {load}` reads the file again; where it is gone, drop it again"
        )

    def error(self) -> TransientError:
        """Return the error for who asks for the load before it is final."""
        shown = f"{self.found} of {_rows(self.expected)}"
        return TransientError("not_visible_yet", f"raw shows {shown} of load {self.load.load_id}", **self.facts)


class Refused(Difference):
    """The same of the rows that validation refused."""

    code = "refused_rows_differ"

    @property
    def words(self) -> str:
        """What is there, what should be, and what helps."""
        load = self.load.load_id
        return (
            f"quarantine holds {_rows(self.found)} of the validation of load {load}, which refused {self.expected}. "
            f"`stockflow replay --stage validate --load {load}` judges it again"
        )

    def error(self) -> TransientError:
        """Return the error for who asks for the load before it is final."""
        return not_visible(self.load.load_id, **self.facts)


def not_visible(load: str, **facts: Any) -> TransientError:
    """Return the error for who asks for a load of whose validation the ledger does not show all."""
    return TransientError(
        "not_visible_yet", f"the ledger does not show all of the validation of load {load} yet", **facts
    )


def refused(load: Load) -> Refused:
    """Return how many rows validation refused, and how many of them show."""
    row = load.row
    return Refused(load, row["quarantined"] or 0, row["refused_rows"], row["refused_rows"])


def differences(feed: str, loads: Iterable[Load], services: Services) -> list[Difference]:
    """Return the loads of which raw holds other rows than their validation counted."""
    let_through = [load for load in loads if load.row["validate_state"] == VALIDATED]
    if not let_through:
        return []
    params = {
        "days": sorted({load.landed_on for load in let_through}),
        "loads": sorted(load.load_id for load in let_through),
        "runs": sorted({load.row["raw_run_id"] or "" for load in let_through}),
    }
    sql = template("counted.sql").replace("{feed}", feed)
    found = {r["load_id"]: (r["found"], r["different"]) for r in services.warehouse.query(sql, params)}
    counted = [Difference(load, _counted(load), *found.get(load.load_id, (0, 0))) for load in let_through]
    return [one for one in counted if not one.found == one.different == one.expected]


def _counted(load: Load) -> int:
    return (load.row["validated_rows"] or 0) + (load.row["quarantined"] or 0)


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"
