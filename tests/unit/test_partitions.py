"""What one file costs does not grow with age: each statement on its way names the partitions that it reads."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from functions.ingest import duplicates, expected, freshness, orphans, sweep
from functions.ingest.receipts import story
from functions.transform.files import template
from functions.transform.merge import drain_script
from stockflow import ledger
from stockflow.contracts import load_contracts
from stockflow.schema import pipeline
from stockflow.settings import bundle_root

ROOT = bundle_root()
CONTRACTS = load_contracts(ROOT / "contracts")
LEDGER = {name: t["partition"] for name, t in pipeline()["ops_tables"].items() if t["partition"] == "landed_on"}
PARTITIONS = {
    **{f"inventory_ops.{name}": column for name, column in LEDGER.items()},
    **{f"inventory_raw.{feed}": "_landed_on" for feed in CONTRACTS},
}
DAYS = "landed_on IN UNNEST(@days)"
SCRIPTING = re.compile(r"(?m)^ *(IF .* THEN|END IF;|BEGIN TRANSACTION;|COMMIT TRANSACTION;|RAISE .*;)$")
EVERYTHING = re.compile(r"DATE '2000-01-01'|CAST\('2000-01-01' AS DATE\)")


def _sql(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


STATEMENTS = {
    "ledger, latest": ledger._LATEST.format(days=DAYS),
    "ledger, stories": ledger._STORIES.format(days=DAYS),
    "ledger, uncomputed": ledger._UNCOMPUTED,
    "same contents": duplicates._SAME_CONTENTS,
    "duplicates": _sql("functions/ingest/duplicates.sql"),
    "copies": _sql("functions/ingest/copies.sql"),
    "handed over": _sql("functions/ingest/handed_over.sql"),
    "sweep": sweep._sql(),
    "sweep, known": sweep._KNOWN,
    "orphans": orphans._sql().replace("{feed}", "sales"),
    "freshness": freshness._NEWEST,
    "expected": expected._NEWEST,
    "receipts, ended": story._ENDED,
    "receipts, stages": story._STAGES,
    "receipts, counted": story._COUNTED,
    "receipts, refused": story._REFUSED,
    "transform, pending": template("pending.sql"),
    **{f"transform, {feed}": drain_script(contract) for feed, contract in CONTRACTS.items()},
}


def unpruned(sql: str) -> Iterator[str]:
    """Yield the partitioned tables of a script that a SELECT or DELETE reads without naming their partitions."""
    for statement in sqlglot.parse(_queries(sql), dialect="bigquery"):
        if statement is None:
            continue
        for table in statement.find_all(exp.Table):
            name = f"{table.db}.{table.name}"
            reader = table.find_ancestor(exp.Select, exp.Delete)
            if name in PARTITIONS and reader is not None and not _is_pruned(reader, table, PARTITIONS[name]):
                yield name


def _queries(script: str) -> str:
    """Return a script without its control flow: what an IF asks is a query, too."""
    script = re.sub(r"^( *)(?:ELSE)?IF (.*?) THEN$", r"\1SELECT \2;", script, flags=re.MULTILINE | re.DOTALL)
    script = re.sub(r"^ *RAISE\b.*?;$", "", script, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^ *END IF;$", "", script, flags=re.MULTILINE)


def _is_pruned(reader: exp.Expression, table: exp.Table, column: str) -> bool:
    conditions = [reader.args.get("where"), *(j.args.get("on") for j in reader.args.get("joins") or [])]
    tests = [t for c in conditions if c is not None for t in c.find_all(exp.EQ, exp.In, exp.Between, exp.GTE)]
    return any(_names(test, table, column) and not EVERYTHING.search(test.sql("bigquery")) for test in tests)


def _names(test: exp.Expression, table: exp.Table, column: str) -> bool:
    sides = [test.this, test.args.get("expression")]
    found = [s for s in sides if isinstance(s, exp.Column) and s.name == column]
    return any(c.table in ("", table.alias_or_name) for c in found)


@pytest.mark.parametrize("name", STATEMENTS)
def test_each_statement_on_the_way_of_a_file_names_its_partitions(name: str) -> None:
    assert list(unpruned(STATEMENTS[name])) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT load_id FROM inventory_ops.load_stages WHERE stage = 'ingest'",
        "SELECT load_id FROM inventory_ops.load_stages WHERE landed_on >= DATE '2000-01-01'",
        "SELECT 1 FROM inventory_raw.sales AS raw JOIN t ON t.landed_on = raw._ingested_at",
    ],
)
def test_a_statement_that_reads_everything_is_found(sql: str) -> None:
    assert list(unpruned(sql)) != []


def test_what_is_read_by_day_passes() -> None:
    sql = "SELECT load_id FROM inventory_ops.load_stages WHERE landed_on IN UNNEST(@days)"
    assert list(unpruned(sql)) == []


def test_every_statement_file_of_ingest_is_looked_at() -> None:
    named = {"copies.sql", "duplicates.sql", "handed_over.sql", "sweep.sql", "orphans.sql"}
    assert {p.name for p in Path(ROOT / "functions/ingest").glob("*.sql")} == named
