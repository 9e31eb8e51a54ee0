"""What the ledger says of files and KPIs: which files a number was computed from, which numbers a file changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cli.lineage.model import Model
from cli.nearest import hint
from cli.output import CommandError
from functions.ingest.lineage.events import columns_of
from functions.kpi.definition import Definition
from stockflow.contracts import Contract
from stockflow.ledger import record_of
from stockflow.services import Services

# The words of --where, beside the columns themselves.
WORDS = {"date": "business_date", "day": "business_date", "location": "location_code", "supplier": "supplier_code"}
_FILES = """
SELECT
  feed, load_id, bucket, object, generation, landed_at, `rows`,
  COUNT(*) OVER (PARTITION BY feed) AS files
FROM inventory_ops.load_stages_latest
WHERE stage = 'transform' AND state = 'transformed' AND feed IN UNNEST(@feeds)
QUALIFY ROW_NUMBER() OVER (PARTITION BY feed ORDER BY landed_at DESC, load_id) <= @most
ORDER BY feed, landed_at DESC, load_id
"""
_STAGES = """
SELECT * FROM inventory_ops.load_stages_latest WHERE landed_on = @day AND load_id = @load ORDER BY finished_at
"""
_RUNS = """
SELECT kpi, run_id, definition_version, from_date, to_date, `rows`, finished_at
FROM inventory_ops.kpi_runs
WHERE finished_at >= @begun AND finished_at <= @ended AND state = 'computed' AND kpi IN UNNEST(@kpis)
ORDER BY finished_at, kpi
"""
_LAST_RUN = """
SELECT run_id, definition_version, from_date, to_date, `rows`, state, message, finished_at
FROM inventory_ops.kpi_runs
WHERE kpi = @kpi
ORDER BY finished_at DESC
LIMIT 1
"""
_CELLS = """
SELECT business_date, {grain}numerator, denominator, value, reason_code
FROM {table} AS computed
WHERE {where}
ORDER BY {grain}business_date
LIMIT {most}
"""
_BEHIND = """
SELECT
  _load_id AS load_id,
  COUNT(*) AS `rows`,
  ARRAY_AGG(_line ORDER BY _line LIMIT 20) AS `lines`
FROM inventory_curated.{feed} AS fact
WHERE {where}
GROUP BY load_id
ORDER BY `rows` DESC, load_id
"""
_OBJECTS = "SELECT DISTINCT object FROM inventory_ops.load_stages_latest WHERE stage = 'ingest' LIMIT 1000"
_NAMES = """
SELECT load_id, bucket, object, generation, landed_at FROM inventory_ops.load_stages_latest
WHERE stage = 'ingest' AND load_id IN UNNEST(@load_ids)
"""


@dataclass(frozen=True)
class Facts:
    """Asks one environment."""

    services: Services
    model: Model

    def _query(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        return self.services.warehouse.query(sql, params)

    def files(self, feeds: Iterable[str], most: int) -> list[dict[str, Any]]:
        """Return the newest files of each feed that are in curated; ``files`` says how many there are."""
        wanted = sorted(feeds)
        return self._query(_FILES, feeds=wanted, most=most) if wanted else []

    def names(self) -> list[str]:
        """Return the names of files, for a person who mistyped one."""
        return [str(row["object"]).rsplit("/", 1)[-1] for row in self._query(_OBJECTS)]

    def last_run(self, kpi: str) -> dict[str, Any] | None:
        """Return how a KPI was computed for the last time."""
        return next(iter(self._query(_LAST_RUN, kpi=kpi)), None)

    def path(self, load: Mapping[str, Any]) -> dict[str, Any]:
        """Return what became of a file: headers, runs of each stage, tables, and the KPIs computed with it."""
        rows = self._query(_STAGES, day=load["landed_on"], load=load["load_id"])
        stages = {row["stage"]: record_of(row) for row in rows}
        ingest, moved = stages.get("ingest"), stages.get("transform")
        loaded = ingest is not None and ingest.state == "loaded" and load["feed"] in self.services.contracts
        contract = self.services.contract_for(load["feed"], load["object"]) if loaded else None
        return {
            "file": {name: load[name] for name in ("load_id", "feed", "bucket", "object", "generation", "landed_at")}
            | {"content_md5": ingest.content_md5 if ingest else None, "state": load["state"]},
            "headers": columns_of(ingest.detail.get("header") or [], contract) if ingest and contract else {},
            "stages": [
                {"stage": r.stage, "state": r.state, "run_id": r.run_id, "raw_run_id": r.raw_run_id, "rows": r.rows,
                 "finished_at": r.finished_at, "stage_version": r.stage_version} for r in stages.values()
            ],
            "tables": sorted(moved.detail.get("tables") or []) if moved and moved.passed else [],
            "dates": sorted(moved.detail.get("dates") or []) if moved and moved.passed else [],
            "kpis": self._computed_with(stages),
        }  # fmt: skip

    def _computed_with(self, stages: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the runs that computed a file's days in the KPIs that read its tables, since it was transformed."""
        moved, seen = stages.get("transform"), stages.get("kpi")
        if not (moved and moved.passed and seen and seen.finished_at >= moved.finished_at):
            return []
        changed = set(moved.detail.get("tables") or [])
        kpis = [name for name in self.model.definitions if self._reads(name, changed)]
        if not kpis:
            return []
        runs = self._query(_RUNS, begun=moved.finished_at, ended=_utc(seen.finished_at), kpis=kpis)
        days = [date.fromisoformat(day) for day in moved.detail.get("dates") or []]
        reached = None if moved.detail.get("all_dates") or not days else (min(days), max(days))
        return [run for run in runs if reached is None or self._meets(run, *reached)]

    def _reads(self, kpi: str, changed: set[str]) -> bool:
        """Whether a KPI is computed from one of these tables, directly or through others."""
        return any(table in changed for table, _ in self.model.up(self.model.definitions[kpi].table))

    def _meets(self, run: Mapping[str, Any], first: date, last: date) -> bool:
        window = timedelta(days=self.model.window(run["kpi"]))
        return bool(run["from_date"] <= last + window and run["to_date"] >= first)

    def cell(self, definition: Definition, where: Mapping[str, Any], most: int) -> list[dict[str, Any]]:
        """Return the rows of a KPI that --where names."""
        return self._query(cells_sql(definition, where, most), **where)

    def behind(self, definition: Definition, where: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the files whose rows a cell can read, with the lines (the first 20 of each file)."""
        found = []
        for feed in self.model.feeds(t for t, _ in self.model.up(definition.table)):
            sql, params = behind_sql(self.services.contracts[feed], where, self.model.window(definition.name))
            if sql:
                found += [{**row, "feed": feed} for row in self._query(sql, **params)]
        ids = sorted({row["load_id"] for row in found})
        named = {row["load_id"]: row for row in self._query(_NAMES, load_ids=ids)} if ids else {}
        return [{**named.get(row["load_id"], {}), **row} for row in found]


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def parsed(text: str, definition: Definition) -> dict[str, Any]:
    """Return column -> value of ``location=LYO,date=2026-09-01``.

    Raises:
        CommandError: a column that the KPI does not have, a value that is not a valid date, or no date at all.
    """
    found: dict[str, Any] = {}
    allowed = ("business_date", *definition.grain)
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        column = WORDS.get(name, name)
        if column not in allowed or not value:
            words = [w for w, c in WORDS.items() if c in allowed]
            raise CommandError(
                f"--where: {part!r} is not column=value of {definition.name}{hint(name, [*allowed, *words])}"
            )
        found[column] = _day(value) if column == "business_date" else value
    if "business_date" not in found:
        raise CommandError("--where: expected a day, such as date=2026-09-01")
    return found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--where: {text!r} is not a date: expected one such as 2026-09-01") from error


def cells_sql(definition: Definition, where: Mapping[str, Any], most: int) -> str:
    """Return the query for the cells that ``where`` names."""
    grain = "".join(f"{column}, " for column in definition.grain)
    return _CELLS.format(grain=grain, table=definition.table, where=_equal("computed", where), most=most)


def behind_sql(contract: Contract, where: Mapping[str, Any], window: int) -> tuple[str, dict[str, Any]]:
    """Return the query for the rows of a feed that a cell can read, and its parameters; no text when all can be."""
    columns = {c.name for c in contract.columns}
    params = {name: value for name, value in where.items() if name in columns and name != "business_date"}
    if not params:
        return "", {}
    conditions = [_equal("fact", params)]
    if contract.business_date:
        day = where["business_date"]
        params |= {"first": day - timedelta(days=window), "last": day}
        conditions.append(f"fact.{contract.business_date} BETWEEN @first AND @last")
    return _BEHIND.format(feed=contract.feed, where=" AND ".join(conditions)), params


def _equal(table: str, where: Mapping[str, Any]) -> str:
    return " AND ".join(f"{table}.{column} = @{column}" for column in where)
