"""`kpi new` writes a definition whose first example holds, whatever it divides."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.kpi import checked as checking
from cli.kpi.checked import checked
from cli.kpi.command import app
from cli.kpi.template import Idea, definition_text
from cli.kpi.workspace import Workspace
from cli.output import CommandError
from functions.kpi.columns import curated_columns
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root

CONTRACTS = load_contracts(bundle_root() / "contracts")
TYPES = curated_columns(CONTRACTS)


@pytest.mark.parametrize(
    ("table", "numerator", "denominator", "grain"),
    [
        ("sales", "quantity", "", ("sku", "location_code")),
        ("sales", "net_amount", "quantity", ("location_code",)),
        ("sales", "quantity", "", ()),
        ("purchase_orders", "received_quantity", "ordered_quantity", ("supplier_code",)),
        ("stock_snapshots", "on_hand", "", ("sku",)),
    ],
)
def test_what_is_written_passes_the_check(
    table: str, numerator: str, denominator: str, grain: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "installed", lambda: False)  # tests/bigquery has the analyzer read it
    name = f"inventory_curated.{table}"
    idea = Idea("mine", 'A "new" one', "units", name, numerator, denominator, grain, "me", TYPES[name])
    found = checked(Workspace({"mine.sql": definition_text(idea)}, CONTRACTS, ("mine",), {}))
    assert [str(f) for f in found.faults] == []
    assert found.ordered[0].examples and found.ordered[0].title == 'A "new" one'


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["days_of_supply"], "a KPI days_of_supply already exists"),
        (["mine", "--table", "inventory_curated.salse"], "did you mean inventory_curated.sales?"),
        (["mine", "--table", "inventory_curated.sales", "--numerator", "quantty"], "did you mean quantity?"),
        (["mine", "--table", "inventory_curated.sales", "--numerator", "sku"], "expected a column of numbers"),
    ],
)
def test_what_cannot_be_written_is_told(args: list[str], said: str, tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["new", *args, "--folder", str(tmp_path)])
    assert isinstance(answer.exception, CommandError) and said in str(answer.exception)
    assert not list(tmp_path.iterdir())
