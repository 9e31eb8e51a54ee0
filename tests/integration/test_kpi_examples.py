"""The worked examples of every definition: the given rows give the expected rows, on the real emulator."""

from typing import Any

import pytest

from functions.kpi.catalog import load_definitions
from functions.kpi.columns import Columns, all_columns, curated_columns
from functions.kpi.definition import Definition
from functions.kpi.examples import differences, example_sql
from stockflow.contracts import load_contracts
from stockflow.services import Services
from stockflow.settings import Settings, bundle_root

pytestmark = pytest.mark.integration
ROOT = bundle_root()
DEFINITIONS = load_definitions(str(ROOT / "functions" / "kpi" / "definitions"))
EXAMPLES = [(d, example) for d in DEFINITIONS.values() for example in d.examples]
VIEWS = {
    f"inventory_curated.{p.stem}": p.read_text() for p in (ROOT / "warehouse/views/inventory_curated").glob("*.sql")
}


@pytest.fixture(scope="module")
def known() -> dict[str, Columns]:
    return all_columns(DEFINITIONS, VIEWS, curated_columns(load_contracts(ROOT / "contracts")))


@pytest.mark.parametrize(("definition", "example"), EXAMPLES, ids=[d.name for d, _ in EXAMPLES])
def test_the_example_holds(
    definition: Definition, example: dict[str, Any], known: dict[str, Columns], bigquery_emulator: str
) -> None:
    services = Services(Settings(project="stockflow-local", bigquery_endpoint=bigquery_emulator))
    found = services.warehouse.query(example_sql(definition, example["given"], known, VIEWS))
    assert differences(definition, example["expect"], found) == []
