"""The worked examples of every definition: the given rows give the expected rows, translated as the emulator does."""

from functools import cache
from typing import Any

import pytest

from functions.kpi.catalog import load_definitions
from functions.kpi.columns import all_columns, curated_columns
from functions.kpi.examples import differences, example_sql
from functions.kpi.refresh import views_by_name
from local.in_process import NotRunError, rows
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root

ROOT = bundle_root()
DEFINITIONS = load_definitions(str(ROOT / "functions" / "kpi" / "definitions"))
EXAMPLES = [(d, example) for d in DEFINITIONS.values() for example in d.examples]
VIEWS = views_by_name("inventory_curated")
CURATED = curated_columns(load_contracts(ROOT / "contracts"))


@cache
def rows_of(number: int) -> list[dict[str, Any]]:
    """Return what the definition of an example gives for its rows: two tests look at them."""
    definition, example = EXAMPLES[number]
    known = all_columns(DEFINITIONS, VIEWS, CURATED)
    return rows(example_sql(definition, example["given"], known, VIEWS))


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=[d.name for d, _ in EXAMPLES])
def test_the_example_holds(number: int) -> None:
    definition, example = EXAMPLES[number]
    assert differences(definition, example["expect"], rows_of(number)) == []


def test_a_cell_without_a_value_takes_no_part_in_any_total() -> None:
    """The examples of each header hold cells that are stale, without cost, without demand, of negative stock."""
    without: dict[str, int] = {}
    for number, (definition, _) in enumerate(EXAMPLES):
        if definition.kind == "kpi" and definition.rollup == "ratio":
            found = rows_of(number)
            silent = [r for r in found if r["value"] is None]
            without[definition.name] = without.get(definition.name, 0) + len(silent)
            assert [r for r in silent if r["numerator"] is not None or r["denominator"] is not None] == []
            assert [r for r in silent if r["reason_code"] is None] == []
            assert [r for r in found if r["value"] is not None and r["reason_code"] is not None] == []
            assert [r for r in found if not 0 <= r["coverage_pct"] <= 100] == []
    assert [name for name, count in without.items() if not count] == [], "each has a poisonous row in its examples"


def test_what_the_engine_refuses_is_told() -> None:
    with pytest.raises(NotRunError, match="no_such_function"):
        rows("SELECT no_such_function(1)")
