"""The samples, dropped into the running stack: every row is accounted for and every KPI is right.

What is expected comes from ``samples/expected.yaml`` (line by line) and from ``tests/golden`` (KPI values,
computed from the source files by hand).
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.receipt.command import write
from stockflow.services import Services
from stockflow.waiting import wait_until
from tests.golden.books import Books, keep
from tests.golden.kpis import Cells, compute
from tests.golden.source import SAMPLES
from tests.support.stack import FullStack, at_rest, environment, full_stack, undelivered

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]

PLAN: list[dict[str, Any]] = yaml.safe_load((SAMPLES / "expected.yaml").read_text())["files"]
LOADED = [entry for entry in PLAN if entry["end_state"] == "loaded"]
DEFINITIONS = sorted((Path(__file__).parents[2] / "functions/kpi/definitions").glob("*.sql"))
DEADLINE_SECONDS = 780
BURST = {"STOCKFLOW_DRAIN_PAUSE_SECONDS": "10"}  # all files come at once: few drains, as in the cloud


def drop_all(services: Services) -> None:
    """Write every sample file into the landing bucket, in the order of the plan."""
    for entry in PLAN:
        body = (SAMPLES / entry["path"]).read_bytes()
        services.object_store.write(services.settings.landing_bucket, entry["path"], body, "application/octet-stream")


def settle(running: FullStack, objects: int) -> None:
    """Wait until that many generations have ended and nothing is under way or waits."""
    services = running.services

    def ended() -> bool:
        return at_rest(running.stack, services) and _state(services) == (objects, 0)

    if not wait_until(ended, DEADLINE_SECONDS, 1):
        loads, unfinished = _state(services)
        left = f"{unfinished} unfinished {_unfinished(services)}, {undelivered(running.stack)} events"
        pytest.fail(f"not settled: {loads} of {objects} loads, {left}")


# a load is done when the KPIs have seen the newest transform of it, and that is not pending again
_UNFINISHED = """
    FROM inventory_ops.load_stages_latest AS ingest
    LEFT JOIN inventory_ops.load_stages_latest AS validate
      ON validate.load_id = ingest.load_id AND validate.stage = 'validate'
    LEFT JOIN inventory_ops.load_stages_latest AS transform
      ON transform.load_id = ingest.load_id AND transform.stage = 'transform'
    LEFT JOIN inventory_ops.load_stages_latest AS kpi ON kpi.load_id = ingest.load_id AND kpi.stage = 'kpi'
    WHERE ingest.stage = 'ingest' AND ingest.state = 'loaded' AND COALESCE(validate.state, '') != 'rejected'
      AND (COALESCE(transform.state, '') != 'transformed' OR COALESCE(kpi.input_record, '') != transform.record_id)
"""


def _state(services: Services) -> tuple[int, int]:
    """Return loads and unfinished loads."""
    sql = f"""
        SELECT
          (SELECT COUNT(*) FROM inventory_ops.loads) AS loads,
          (SELECT COUNT(*) {_UNFINISHED}) AS unfinished"""
    row = ask(services, sql)[0]
    return row["loads"], row["unfinished"]


def _unfinished(services: Services) -> list[str]:
    rows = ask(services, f"SELECT ingest.object, transform.state AS transform, kpi.state AS kpi {_UNFINISHED}")
    return [f"{r['object']} transform {r['transform']}, kpi {r['kpi']}" for r in rows]


def ask(services: Services, sql: str) -> list[dict[str, Any]]:
    """Return the rows of a query as dicts."""
    return [dict(row) for row in services.warehouse.query(services.settings.sql(sql))]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullStack]:
    """A stack of its own (no other test's files in it), after all samples were dropped and all came to rest."""
    with environment(BURST), full_stack(tmp_path_factory.mktemp("golden")) as started:
        drop_all(started.services)
        settle(started, len(PLAN))
        yield started


@pytest.fixture(scope="module")
def shop(running: FullStack) -> Services:
    return running.services


@pytest.fixture(scope="module")
def loads(shop: Services) -> dict[str, dict[str, Any]]:
    return {row["object"]: row for row in ask(shop, "SELECT * FROM inventory_ops.loads")}


@pytest.fixture(scope="module")
def books() -> Books:
    return keep()


@pytest.fixture(scope="module")
def by_hand(books: Books) -> dict[str, Cells]:
    return compute(books)


def md5(entry: dict[str, Any]) -> str:
    """Return what two files with the same content have in common."""
    return hashlib.md5((SAMPLES / entry["path"]).read_bytes(), usedforsecurity=False).hexdigest()


def test_every_file_ends_as_documented(loads: dict[str, dict[str, Any]]) -> None:
    """Of two files with the same bytes either may come first: the other one is the duplicate."""
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in PLAN:
        group = entry["feed"] and entry["path"] if not _twin(entry) else md5(entry)
        expected[str(group)][entry["end_state"]] += 1
        found[str(group)][loads[entry["path"]]["end_state"]] += 1
    assert found == expected


def _twin(entry: dict[str, Any]) -> bool:
    return sum(md5(entry) == md5(other) for other in PLAN) > 1 and (SAMPLES / entry["path"]).stat().st_size > 0


def test_every_refusal_has_its_reason(loads: dict[str, dict[str, Any]]) -> None:
    for entry in PLAN:
        if entry["end_state"] in {"rejected", "ignored"}:
            assert loads[entry["path"]]["reason_code"] == entry["reason"], entry["path"]


def _winner(loads: dict[str, dict[str, Any]], entry: dict[str, Any]) -> dict[str, Any]:
    same = [loads[e["path"]] for e in PLAN if md5(e) == md5(entry) and loads[e["path"]]["end_state"] == "loaded"]
    return same[0]


def test_lines_are_raw_rows_and_rejects(shop: Services, loads: dict[str, dict[str, Any]]) -> None:
    raw = _count_by_load(shop, "SELECT _load_id, COUNT(*) AS n FROM inventory_raw.{feed} GROUP BY _load_id")
    for entry in LOADED:
        load = _winner(loads, entry)
        assert (load["lines"], load["rows"], load["rejects"]) == (
            entry["lines"], entry["rows"], len(entry["rejects"])), entry["path"]  # fmt: skip
        assert raw[load["load_id"]] == load["rows"], entry["path"]


def _count_by_load(shop: Services, sql: str) -> dict[str, int]:
    feeds = sorted({entry["feed"] for entry in LOADED})
    return {row["_load_id"]: row["n"] for feed in feeds for row in ask(shop, sql.format(feed=feed))}


def test_every_reject_is_the_documented_line(shop: Services, loads: dict[str, dict[str, Any]]) -> None:
    found = _by_load(shop, "SELECT load_id, line, code FROM inventory_ops.rejects", lambda r: (r["line"], r["code"]))
    for entry in LOADED:
        expected = {(r["line"], r["code"]) for r in entry["rejects"]}
        assert found[_winner(loads, entry)["load_id"]] == expected, entry["path"]


def _by_load(shop: Services, sql: str, pick: Callable[[dict[str, Any]], Any]) -> dict[str, set[Any]]:
    found: dict[str, set[Any]] = defaultdict(set)
    for row in ask(shop, sql):
        found[row["load_id"]].add(pick(row))
    return found


def test_every_quarantined_row_is_the_documented_line(shop: Services, loads: dict[str, dict[str, Any]]) -> None:
    """The documented rule must be among those that the line broke; no other line may be refused."""
    sql = "SELECT load_id, line, stage, column_name, rule FROM inventory_ops.quarantine WHERE severity = 'critical'"
    found = _by_load(shop, sql, lambda r: (r["line"], r["stage"], r["column_name"], r["rule"]))
    for entry in LOADED:
        broken = found[_winner(loads, entry)["load_id"]]
        expected = {(q["line"], q["stage"], q["column"], q["code"]) for q in entry["quarantined"]}
        assert expected <= broken, (entry["path"], expected - broken, broken)
        assert {line for line, *_ in broken} == {line for line, *_ in expected}, entry["path"]


def test_warnings_are_reported_and_the_rows_kept(shop: Services, loads: dict[str, dict[str, Any]]) -> None:
    sql = "SELECT load_id, rule FROM inventory_ops.expectations WHERE severity = 'warning' AND NOT success"
    found = _by_load(shop, sql, lambda r: r["rule"])
    for entry in LOADED:
        for warning in entry["warnings"]:
            assert warning["code"] in found[_winner(loads, entry)["load_id"]], (entry["path"], warning)


def test_raw_rows_are_current_superseded_or_quarantined(shop: Services, loads: dict[str, dict[str, Any]]) -> None:
    history = _count_by_load(
        shop, "SELECT _load_id, COUNT(*) AS n FROM inventory_curated.{feed}_history GROUP BY _load_id"
    )
    current = _count_by_load(shop, "SELECT _load_id, COUNT(*) AS n FROM inventory_curated.{feed} GROUP BY _load_id")
    for entry in LOADED:
        load = _winner(loads, entry)
        now = current.get(load["load_id"], 0)
        superseded = history.get(load["load_id"], 0) - now
        assert (now, superseded) == (entry["current"], entry["superseded"]), entry["path"]
        assert load["rows"] == now + superseded + load["quarantined"], entry["path"]


def test_every_kpi_definition_is_computed_by_hand(by_hand: dict[str, Cells]) -> None:
    kpis = {path.stem for path in DEFINITIONS if "kind: base" not in path.read_text()}
    assert kpis and kpis == set(by_hand)


@pytest.mark.parametrize("kpi", [p.stem for p in DEFINITIONS if "kind: base" not in p.read_text()])
def test_kpi_values_equal_those_computed_by_hand(kpi: str, shop: Services, by_hand: dict[str, Cells]) -> None:
    cells = by_hand[kpi]
    found = {}
    for row in ask(shop, f"SELECT * FROM inventory_kpi.{kpi}"):
        key = (row["business_date"], *(row[name] for name in cells.grain))
        assert key not in found, f"{kpi} has two rows for {key}"
        found[key] = row
    missing, unexpected = cells.rows.keys() - found.keys(), found.keys() - cells.rows.keys()
    assert (sorted(map(str, missing))[:5], sorted(map(str, unexpected))[:5]) == ([], []), (
        f"{kpi}: {len(missing)} rows missing, {len(unexpected)} unexpected"
    )
    wrong = [
        f"{key} {column}: {found[key][column]} instead of {value}"
        for key, row in cells.rows.items()
        for column, value in row.items()
        if not _same(found[key][column], value)
    ]
    assert not wrong, f"{kpi}: {len(wrong)} of {len(found)} cells differ, such as {wrong[:8]}"


def _same(found: Any, expected: Any) -> bool:
    if found is None or expected is None or isinstance(expected, str | date | bool):
        return bool(found == expected)
    return math.isclose(float(found), float(expected), rel_tol=1e-6, abs_tol=1e-6)


def test_the_receipt_of_a_file_adds_up_and_gives_back_what_was_refused(
    shop: Services, loads: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    for entry in [e for e in PLAN if e["feed"] == "sales" and loads[e["path"]]["end_state"] == "loaded"][:3]:
        said, files = write(shop, loads[entry["path"]]["load_id"], tmp_path)
        counts = said["counts"]
        parts = ("loaded", "superseded", "quarantined", "rejected")
        assert counts["records"] == sum(counts[part] for part in parts), entry["path"]
        assert [Path(f).suffix for f in files[:2]] == [".html", ".json"]
        assert (len(files) == 3) == bool(counts["quarantined"] or counts["rejected"]), entry["path"]


def test_dropping_everything_again_changes_nothing(shop: Services, running: FullStack) -> None:
    """Runs last: the same files again, in the same order, state the same again; no number moves."""
    before = _everything(shop)
    drop_all(shop)
    settle(running, 2 * len(PLAN))
    again = Counter(r["end_state"] for r in ask(shop, "SELECT end_state FROM inventory_ops.loads"))
    assert (again["held"], again["failed"]) == (0, 0)
    assert _everything(shop) == before


def _everything(shop: Services) -> dict[str, Any]:
    """Every current row and every KPI row, without the bookkeeping columns."""
    feeds = sorted({entry["feed"] for entry in LOADED})
    tables = [f"inventory_curated.{feed}" for feed in feeds] + [f"inventory_kpi.{p.stem}" for p in DEFINITIONS]
    return {table: sorted(_plain(row) for row in ask(shop, f"SELECT * FROM {table}")) for table in tables}


def _plain(row: dict[str, Any]) -> str:
    return str(sorted((k, str(v)) for k, v in row.items() if not k.startswith("_")))
