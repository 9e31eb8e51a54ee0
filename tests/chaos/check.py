"""Compares an environment that has come to rest with the model: what is lost, doubled, or says something else."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from cli.audit import counts
from stockflow.errors import TransientError
from stockflow.ledger import Asked, StageRecord
from stockflow.services import Services
from tests.chaos.model import Landed, current

Records = dict[str, StageRecord]


@dataclass
class Findings:
    """What does not hold, in words; empty lists are what the promise says."""

    files: int = 0
    rows: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def hold(self) -> bool:
        """Whether everything is as it must be."""
        return not (self.lost or self.doubled or self.wrong)

    def __str__(self) -> str:
        return "\n".join(
            f"{name}: {text}" for name in ("lost", "doubled", "wrong") for text in getattr(self, name)[:20]
        )


def check(landed: Iterable[Landed], services: Services, last: str = "kpi") -> Findings:
    """Compare; ``last`` is the last stage that worked (ingest: only what ingest promises)."""
    every = list(landed)
    found = Findings(files=len(every))
    ledger = services.ledger.latest([Asked(one.ref.load_id, one.ref.landed_on) for one in every])
    read = [one for one in every if _ended(one, ledger.get(one.ref.load_id, {}), last, found)]
    found.rows = sum(len(one.file.lines) for one in read)
    _check_rows(read, ledger, services, found)
    if last == "kpi":
        _check_refusals(read, services, found)
        _check_current(read, services, found)
        _check_kpis(services, found)
        _check_audit(services, found)
    return found


_INGESTED = {"refreshed": "loaded", "held": "loaded"}


def _ended(one: Landed, records: Records, last: str, found: Findings) -> bool:
    """Check the one end state of a generation; return whether its rows count."""
    end = end_of(records, last)
    found.ends[end] += 1
    allowed = one.allowed if last == "kpi" else {_INGESTED.get(state, state) for state in one.allowed}
    if end not in allowed:
        found.lost.append(f"{one.ref.name} ({one.ref.load_id}) ended as {end}, not as {' or '.join(sorted(allowed))}")
    ingested = records.get("ingest")
    return ingested is not None and ingested.state == "loaded"


def end_of(records: Records, last: str = "kpi") -> str:
    """Return the state in which a load is, as ``Landed.allowed`` names it."""
    ingested = records.get("ingest")
    if ingested is None:
        return "nothing"
    if ingested.state != "loaded" or last == "ingest":
        return ingested.state
    before = ingested
    for stage in ("validate", "transform", "kpi"):
        record = records.get(stage)
        if record is None or record.input_record != before.record_id:
            return f"waiting for {stage}"
        if record.state == "held":
            return "held"
        if not record.passed:
            return f"{stage} {record.state}"
        before = record
    return before.state


def _check_rows(read: list[Landed], ledger: dict[str, Records], services: Services, found: Findings) -> None:
    """Committed rows of raw: 1..n, each once; rejects as readers see them."""
    rows = _rows(services)
    rejects = _lines(services, "rejects")
    for one in read:
        record = ledger[one.ref.load_id]["ingest"]
        unreadable = one.file.count("unreadable")
        good = len(one.file.lines) - unreadable
        _compare(f"raw rows of {one.ref.name}", rows.get((one.ref.load_id, record.raw_run_id)), good, found)
        _compare_lines("rejects", one, rejects, unreadable, found)
        if (record.rows, record.rejects) != (good, unreadable):
            found.wrong.append(f"{one.ref.name}: the ledger says {record.rows} rows, {record.rejects} rejects")


_RAW = "SELECT _load_id, _run_id, _row FROM inventory_raw.sales WHERE _landed_on >= DATE '2000-01-01'"


def _rows(services: Services) -> dict[tuple[str, str | None], Counter[int]]:
    """Return (load, run) -> how often each of its rows is in raw."""
    numbers: dict[tuple[str, str | None], Counter[int]] = {}
    for row in services.warehouse.query(_RAW):
        numbers.setdefault((row["_load_id"], row["_run_id"]), Counter())[row["_row"]] += 1
    return numbers


def _compare(what: str, numbers: Counter[int] | None, count: int, found: Findings) -> None:
    have = numbers or Counter()
    missing = set(range(1, count + 1)) - have.keys()
    extra = [n for n, times in have.items() if times > 1 or n > count]
    if missing:
        found.lost.append(f"{what}: {len(missing)} of {count} are not there")
    if extra:
        found.doubled.append(f"{what}: {len(extra)} are there more often than once")


_LINES = """
SELECT load_id, COUNT(*) AS shown, COUNT(DISTINCT line) AS different
FROM inventory_ops.{view} WHERE landed_on >= DATE '2000-01-01' GROUP BY load_id
"""
Lines = dict[str, tuple[int, int]]


def _lines(services: Services, view: str) -> Lines:
    """Return load -> rows and different lines that a view of the ledger shows."""
    rows = services.warehouse.query(_LINES.replace("{view}", view))
    return {r["load_id"]: (r["shown"], r["different"]) for r in rows}


def _compare_lines(what: str, one: Landed, lines: Lines, count: int, found: Findings) -> None:
    shown, different = lines.get(one.ref.load_id, (0, 0))
    if different < count:
        found.lost.append(f"{what} of {one.ref.name}: {different} of {count} lines")
    if shown > count:
        found.doubled.append(f"{what} of {one.ref.name}: {shown} rows for {count} lines")


def _check_refusals(read: list[Landed], services: Services, found: Findings) -> None:
    """Quarantined rows as readers see them."""
    lines = _lines(services, "quarantine")
    for one in read:
        _compare_lines("quarantine", one, lines, one.file.count("refused"), found)


def _check_current(read: list[Landed], services: Services, found: Findings) -> None:
    """The curated table against the model."""
    want = current(read)
    rows = services.warehouse.query("SELECT receipt_number, quantity FROM inventory_curated.sales")
    have = {r["receipt_number"]: int(r["quantity"]) for r in rows}
    for key, times in Counter(r["receipt_number"] for r in rows).items():
        if times > 1:
            found.doubled.append(f"curated {key} is there {times} times")
    found.lost += [f"curated {key} is not there" for key in sorted(want.keys() - have.keys())]
    found.wrong += [f"curated {key} says {have[key]}: nobody states it" for key in sorted(have.keys() - want.keys())]
    differ = sorted(key for key in want.keys() & have.keys() if want[key] != have[key])
    found.wrong += [f"curated {key} says {have[key]}, the last statement is {want[key]}" for key in differ]


_KPI = "SELECT business_date, location_code, value FROM inventory_kpi.units_by_day"
_AGAIN = """
SELECT business_date, location_code, SUM(quantity) AS value
FROM inventory_curated.sales GROUP BY business_date, location_code
"""


def _check_kpis(services: Services, found: Findings) -> None:
    """The KPI's table against the same figures computed again."""
    try:
        have = Counter(tuple(r.values()) for r in services.warehouse.query(_KPI))
    except TransientError as error:  # the first run makes the table
        have = Counter()
        found.wrong += [str(error)] if error.facts["reason"] not in ("notFound", "NotFound") else []
    want = Counter(tuple(r.values()) for r in services.warehouse.query(_AGAIN))
    found.lost += [f"KPI row {row} is not there" for row in (want - have)]
    found.doubled += [f"KPI row {row} is there and must not be" for row in (have - want)]


def _check_audit(services: Services, found: Findings) -> None:
    """What ``stockflow audit`` counts by itself."""
    ledger, objects = counts.records(services), counts.landed(services)
    breaks = [*counts.end_states(objects, services), *counts.lines(ledger), *counts.rows(ledger, services)]
    found.wrong += [f"audit, {b.load_id}: {b.found}, expected {b.expected}" for b in breaks]
