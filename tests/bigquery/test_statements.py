"""Every script that code builds is valid GoogleSQL: Google's own analyzer says so, with typed parameters."""

import pytest

from cli.googlesql.catalogue import faults
from cli.googlesql.project import kpi_tables, project
from tests.bigquery.built import BUILT
from tests.bigquery.recorder import Statement, typed_parameters


def told(statement: Statement) -> list[str]:
    """Return what is wrong with a statement, each with the line of the script that it names."""
    found = faults(statement.sql, project().catalogue, typed_parameters(statement))
    lines = statement.sql.splitlines()
    return [f"{statement.source}: {f.message}\n    {lines[f.line - 1].strip()}" for f in found]


def test_routines_and_views_are_valid() -> None:
    """Given warehouse/ and the contracts, when each routine and view is made after what it names, then it can be."""
    assert not project().faults


@pytest.mark.parametrize("group", BUILT)
def test_what_code_builds_is_valid(group: str) -> None:
    """Given the functions that build scripts, when the analyzer reads what they build, then it refuses none."""
    # Many callers ask the same: each text is analysed once.
    texts = {(s.sql, repr(typed_parameters(s))): s for s in BUILT[group]()}
    wrong = [line for statement in texts.values() for line in told(statement)]

    assert not wrong, "\n".join(wrong)


def test_a_mistake_is_found() -> None:
    """Given a script with a word that is reserved, when it is analysed, then its place and the word are told."""
    script = "CREATE TEMP TABLE one AS SELECT 1 AS n;\nSELECT SUM(n) OVER following FROM one WINDOW following AS ()"

    (fault,) = faults(script, project().catalogue)

    assert (fault.line, fault.message) == (2, "Syntax error: Unexpected keyword FOLLOWING")


def test_a_temporary_table_and_a_variable_have_types() -> None:
    """Given a variable and a temporary table, when a later statement compares their types wrongly, then it is told."""
    script = (
        "DECLARE days ARRAY<DATE> DEFAULT [DATE '2026-01-01'];\nCREATE TEMP TABLE t AS SELECT 'a' AS name;\n"
        "IF (SELECT COUNT(*) FROM t) > 0 THEN\n  SELECT name IN UNNEST(days) FROM t;\nEND IF;"
    )

    (fault,) = faults(script, project().catalogue)

    assert fault.line == 4 and "STRING" in fault.message and "DATE" in fault.message


def test_kpi_tables_have_the_types_of_their_definitions() -> None:
    """Given kpi_tables.json, which Terraform makes tables from, then its columns are what each SELECT gives."""
    from cli.googlesql.catalogue import kind_name, output
    from functions.kpi.catalog import load_definitions
    from tests.bigquery.recorder import RecordedServices

    found = {}
    for name, definition in load_definitions(RecordedServices("").settings.definitions_uri).items():
        columns = output(definition.sql, project().catalogue)
        found[name] = [(column, kind_name(proto)) for column, proto in columns.items()]

    assert found == {name: [(c["name"], c["type"]) for c in t["schema"]] for name, t in kpi_tables().items()}
