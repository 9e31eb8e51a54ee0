"""What the analyzer cannot know: rules of BigQuery's planner and API, each with an offence."""

import re
from collections.abc import Iterator

import pytest

from cli.googlesql import rules
from stockflow.settings import bundle_root
from tests.bigquery.built import BUILT
from tests.bigquery.discovery import fragments
from tests.bigquery.recorder import Statement

OFFENCES = {
    rules.correlated_without_equality: [
        "SELECT a.x FROM d.a AS a WHERE NOT EXISTS (SELECT 1 FROM d.b AS b WHERE b.y > a.y AND b.z IN (a.z, 'c'))",
        "SELECT a.x, (SELECT MAX(b.y) FROM d.b AS b WHERE b.y <= a.y) AS latest FROM d.a AS a",
        "DELETE FROM d.a kept WHERE EXISTS (SELECT 1 FROM d.b AS b WHERE b.y IS NOT DISTINCT FROM kept.y)",
    ],
    rules.outer_join_without_equality: [
        "SELECT a.x FROM d.a AS a LEFT JOIN d.b AS b ON TRUE",
        "SELECT a.x FROM d.a AS a LEFT JOIN d.b AS b ON b.y BETWEEN a.y AND a.z",
        "SELECT a.x FROM d.a AS a FULL OUTER JOIN d.b AS b ON a.y IS NOT DISTINCT FROM b.y",
        "WITH b AS (SELECT y FROM d.b LIMIT 1) SELECT a.x FROM d.a AS a LEFT JOIN b ON TRUE",
    ],
    rules.not_in_a_transaction: [
        "BEGIN TRANSACTION; CREATE TABLE d.a AS SELECT 1 AS x; COMMIT TRANSACTION",
        "BEGIN TRANSACTION; ASSERT (SELECT COUNT(*) FROM d.a) = 1; COMMIT TRANSACTION",
        "BEGIN TRANSACTION; DROP TABLE d.a; COMMIT TRANSACTION",
    ],
    rules.changes_streamed_rows: [
        "DELETE FROM inventory_ops.load_stages WHERE load_id = 'a'",
        "UPDATE inventory_ops.kpi_runs SET state = 'failed' WHERE TRUE",
        "MERGE inventory_ops.reject_rows AS t USING d.a AS s ON t.line = s.line WHEN MATCHED THEN DELETE",
    ],
    rules.project_without_backticks: ["SELECT my-project.inventory_curated.to_code(x) FROM my-project.d.a"],
    rules.reserved_name: ["SELECT SUM(x) OVER following FROM d.a WINDOW following AS (ORDER BY x)"],
}
FINE = [
    "SELECT a.x FROM d.a AS a WHERE NOT EXISTS (SELECT 1 FROM d.b AS b WHERE b.y = a.y AND b.z > a.z)",
    "SELECT a.x FROM d.a AS a WHERE EXISTS (SELECT 1 FROM UNNEST(a.days) AS day WHERE day > a.first)",
    "SELECT a.x FROM d.a AS a WHERE a.y IN (SELECT b.y FROM d.b AS b)",
    "WITH b AS (SELECT MAX(y) AS y FROM d.b) SELECT a.x FROM d.a AS a LEFT JOIN b ON TRUE",
    "SELECT a.x FROM d.a AS a LEFT JOIN d.b AS b ON b.y = a.y AND b.z > a.z",
    "BEGIN TRANSACTION; CREATE TEMP TABLE t AS SELECT 1 AS x; DROP TABLE t; SELECT 1; COMMIT TRANSACTION",
    "INSERT INTO inventory_ops.load_stages (load_id) SELECT 'a'",
    "SELECT `my-project`.inventory_curated.to_code(x) - d.f(x) FROM my-project.d.a",
]


def streamed() -> set[str]:
    """The tables that code streams into: named in calls of the warehouse's ``insert``."""
    called = re.compile(r"settings\.table\(\"ops\", \"(\w+)\"\)")
    texts = [p.read_text(encoding="utf-8") for d in ("shared", "functions") for p in (bundle_root() / d).rglob("*.py")]
    return {f"inventory_ops.{name}" for text in texts if ".insert(" in text for name in called.findall(text)} | {
        f"inventory_ops.{name}"
        for name in ("load_stages", "reject_rows", "quarantine_rows", "expectation_results", "kpi_runs")
    }


# `stockflow erase` changes streamed rows: what BigQuery refuses of it is told, and the command is run again later.
HANDLED = {"erasures": "which gets streaming inserts"}


@pytest.mark.parametrize("rule", OFFENCES, ids=lambda rule: rule.__name__)
def test_an_offence_is_found(rule: rules.Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given SQL that BigQuery refuses, when its rule reads it, then it is told."""
    monkeypatch.setattr(rules, "RULES", (rule,))
    for sql in OFFENCES[rule]:
        assert rules.broken(sql, streamed()), sql


@pytest.mark.parametrize("sql", FINE)
def test_what_bigquery_takes_is_not_told(sql: str) -> None:
    """Given SQL that BigQuery takes, when the rules read it, then none is broken."""
    assert not rules.broken(sql, streamed())


@pytest.mark.parametrize("group", BUILT)
def test_what_code_builds_breaks_no_rule(group: str) -> None:
    """Given every script that code builds, when the rules read it, then none is broken but what its caller handles."""
    handled = HANDLED.get(group, "(nothing)")
    assert not [told for told in _told(BUILT[group]()) if not told.endswith(handled)]


def test_what_stands_alone_breaks_no_rule() -> None:
    """Given every statement in the tree that stands alone, when the rules read it, then none is broken."""
    assert not list(_told(f.statement() for f in fragments() if f.stands_alone))


def _told(found: Iterator[Statement]) -> Iterator[str]:
    for statement in found:
        for fault in rules.broken(statement.sql, streamed()):
            yield f"{statement.source}, line {fault.line}: {fault.message}"
