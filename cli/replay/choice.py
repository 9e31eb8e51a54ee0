"""Which loads a replay means. ``choose`` reads the ledger; the rest is pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from cli.nearest import hint
from cli.output import CommandError
from cli.stale import Versions, current_versions
from stockflow.ledger import landing_day
from stockflow.retention import first_day
from stockflow.services import Services
from stockflow.stages import PASSED, stage_before

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
Clock = Literal["landing", "business"]


@dataclass(frozen=True)
class Choice:
    """What a person asked for. ``first`` and ``last`` are inclusive; ``by`` says which of a load's times they mean."""

    stage: str
    feeds: tuple[str, ...] = ()
    loads: tuple[str, ...] = ()
    first: datetime = EARLIEST
    last: datetime = LATEST
    by: Clock = "landing"
    stale: bool = False
    failed: bool = False
    landed: tuple[datetime, datetime] | None = None  # with ``by`` business: only what landed in that time, too

    @property
    def landing(self) -> tuple[datetime, datetime]:
        """The time in which what is meant landed: the partitions of the ledger that have to be read."""
        if self.landed is not None:
            return self.landed
        return (self.first, self.last) if self.by == "landing" and not self.loads else (EARLIEST, LATEST)

    @property
    def is_a_seek(self) -> bool:
        """Whether "everything since" says it all, which is what seek says."""
        return not (self.feeds or self.loads or self.stale or self.failed or self.by != "landing" or self.last < LATEST)


@dataclass(frozen=True)
class Chosen:
    """One load that is to be replayed. ``before`` is the ledger's row of the stage before (of ingest: its own).

    ``done`` is the row of the stage itself, None when it never ran.
    """

    load_id: str
    feed: str
    before: Mapping[str, Any]
    done: Mapping[str, Any] | None


def moment(text: str, end: bool = False) -> datetime:
    """Return the UTC time that a date or an ISO 8601 time says; a date's end is its last microsecond.

    Raises:
        CommandError: when it is neither.
    """
    try:
        if len(text) == 10:
            day = datetime.combine(date.fromisoformat(text), time(), UTC)
            return day + timedelta(days=1, microseconds=-1) if end else day
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"{text!r} is not a valid time: expected a date like 2026-10-01 or 2026-10-01T06:00:00+02:00"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_LATEST = """
SELECT * FROM inventory_ops.load_stages_latest
WHERE landed_on BETWEEN @first_day AND @last_day AND stage IN UNNEST(@stages) AND feed IS NOT NULL
ORDER BY landed_at, generation, load_id
"""


def choose(choice: Choice, services: Services) -> list[Chosen]:
    """Return the loads that are meant, in the order they landed.

    Raises:
        CommandError: an unknown feed or load.
    """
    _check_feeds(choice.feeds, services)
    before = stage_before(choice.stage)
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    first, last = choice.landing
    params = {"first_day": first.date(), "last_day": last.date(), "stages": sorted({before, choice.stage})}
    for row in services.warehouse.query(_LATEST, params):
        rows.setdefault(row["load_id"], {})[row["stage"]] = row
    found = [
        Chosen(load, stages[before]["feed"], stages[before], stages.get(choice.stage))
        for load, stages in rows.items()
        if before in stages and _has_input(choice.stage, stages[before])
    ]
    _check_loads(choice.loads, found)
    dated = _dated(choice, services) if choice.by == "business" else None
    versions = current_versions(services) if choice.stale else Versions({})
    return [c for c in found if _is_meant(choice, c, dated, versions)]


def with_raw(stage: str, chosen: Iterable[Chosen], services: Services) -> list[Chosen]:
    """Return those whose raw rows are kept (``retention``): of the others, nothing is transformed again."""
    from functions.transform.script import raw_days

    today = landing_day(services.clock())
    since = {feed: first_day(days, today) for feed, days in raw_days(services).items()}
    return [c for c in chosen if stage == "kpi" or c.before["landed_on"] > (since.get(c.feed) or date.min)]


def _has_input(stage: str, before: Mapping[str, Any]) -> bool:
    return stage == "ingest" or bool(before["state"] == PASSED[stage_before(stage)])


def _is_meant(choice: Choice, c: Chosen, dated: frozenset[str] | None, versions: Versions) -> bool:
    tests: Iterable[bool] = (
        not choice.feeds or c.feed in choice.feeds,
        not choice.loads or any(c.load_id.startswith(load) for load in choice.loads),
        dated is not None or choice.first <= (c.before["landed_at"] or EARLIEST) <= choice.last,
        dated is None or c.load_id in dated,
        not choice.stale or _is_stale(choice.stage, c, versions),
        not choice.failed or has_failed(choice.stage, c.done),
    )
    return all(tests)


def _is_stale(stage: str, c: Chosen, versions: Versions) -> bool:
    made = None if c.done is None else c.done["stage_version"]
    return made is not None and made != (versions.of(stage, c.feed, c.before["object"]) or made)


def has_failed(stage: str, done: Mapping[str, Any] | None) -> bool:
    """Whether a stage refused a load, was asked to look again, never came to it, or could not compute a KPI."""
    if done is None or done["state"] in ("rejected", "failed", "pending"):
        return True
    return stage == "kpi" and bool(json.loads(done["detail"] or "{}").get("failed"))


def _dated(choice: Choice, services: Services) -> frozenset[str]:
    """Return the loads that state a business date within the period (rows in quarantine have none)."""
    found: set[str] = set()
    params = {"first": choice.first.date(), "last": choice.last.date()}
    for feed, contract in services.contracts.items():
        if contract.business_date and (not choice.feeds or feed in choice.feeds):
            sql = (
                f"SELECT DISTINCT _load_id AS load_id FROM inventory_curated.{feed}_history "
                f"WHERE {contract.business_date} BETWEEN @first AND @last"
            )
            found |= {row["load_id"] for row in services.warehouse.query(sql, params)}
    return frozenset(found)


def _check_feeds(feeds: Iterable[str], services: Services) -> None:
    for feed in feeds:
        if feed not in services.contracts:
            raise CommandError(f"{feed!r} is not a known feed{hint(feed, services.contracts)}")


def _check_loads(loads: Iterable[str], found: Iterable[Chosen]) -> None:
    known = [c.load_id for c in found]
    for load in loads:
        if not any(k.startswith(load) for k in known):
            raise CommandError(f"no load {load!r} has come as far as this stage: `stockflow loads` lists them")
