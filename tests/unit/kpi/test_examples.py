"""The worked examples of every definition: the given rows give the expected rows, translated as the emulator does."""

from typing import Any

import pytest

from functions.kpi.catalog import load_definitions
from functions.kpi.columns import Columns, all_columns, curated_columns
from functions.kpi.definition import Definition
from functions.kpi.examples import differences, example_sql
from functions.kpi.refresh import views_by_name
from local.in_process import NotRunError, rows
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root

ROOT = bundle_root()
DEFINITIONS = load_definitions(str(ROOT / "functions" / "kpi" / "definitions"))
EXAMPLES = [(d, example) for d in DEFINITIONS.values() for example in d.examples]
VIEWS = views_by_name("inventory_curated")


@pytest.fixture(scope="module")
def known() -> dict[str, Columns]:
    return all_columns(DEFINITIONS, VIEWS, curated_columns(load_contracts(ROOT / "contracts")))


@pytest.mark.parametrize(("definition", "example"), EXAMPLES, ids=[d.name for d, _ in EXAMPLES])
def test_the_example_holds(definition: Definition, example: dict[str, Any], known: dict[str, Columns]) -> None:
    found = rows(example_sql(definition, example["given"], known, VIEWS))

    assert differences(definition, example["expect"], found) == []


def test_what_the_engine_refuses_is_told() -> None:
    with pytest.raises(NotRunError, match="no_such_function"):
        rows("SELECT no_such_function(1)")
