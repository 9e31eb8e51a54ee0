"""Tables that are there already follow their contract: a new column arrives without `down --purge`."""

import re
from functools import cached_property
from pathlib import Path
from typing import Any

from cli import provision
from local import in_process
from stockflow.contracts import load_contracts
from stockflow.services import Services
from stockflow.settings import Settings, bundle_root

_COLUMN = """      - name: fax_number
        logicalType: string
        physicalType: STRING
        description: "Fax number of the supplier."
"""


class Warehouse:
    """A warehouse in this process: scripts run by the emulator's own translation. ``sent`` is what was asked."""

    def __init__(self, prefix: str = "") -> None:
        self._connection = in_process.database()
        self._settings = Settings("local", dataset_prefix=prefix)
        self.sent: list[str] = []
        for layer in ("raw", "curated", "ops"):
            self._connection.execute(f"CREATE SCHEMA project.{self._settings.dataset(layer)}")

    def query(self, script: str) -> list[dict[str, Any]]:
        """Run a script; return the rows of its last statement."""
        self.sent.append(script)
        script = self._settings.sql(script)
        texts = [text for text in re.split(r";\s*", script) if text]
        for text in texts:
            found = self._connection.execute(in_process.translated(text))
        return [dict(zip([c[0] for c in found.description], row, strict=True)) for row in found.fetchall()]

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns."""
        return [row[0] for row in self._connection.execute(f"DESCRIBE project.{table}").fetchall()]


class _Services(Services):
    def __init__(self, contracts: Path, warehouse: Warehouse) -> None:
        super().__init__(Settings("local", contracts_dir=contracts))
        self._local = warehouse

    @cached_property
    def warehouse(self) -> Any:
        return self._local


def _contracts(folder: Path, column: str = "") -> Path:
    """Write the contract of suppliers, with one more column if there is one; return its folder."""
    text = (bundle_root() / "contracts" / "suppliers.yaml").read_text(encoding="utf-8")
    head, mark, tail = text.partition("    properties:\n")
    folder.mkdir()
    (folder / "suppliers.yaml").write_text(head + mark + column + tail, encoding="utf-8")
    assert load_contracts(folder)["suppliers"]
    return folder


def test_a_new_column_of_a_contract_is_added_to_the_tables_that_are_there(tmp_path: Path) -> None:
    """Given tables with rows, then raw, curated and history have the column, and the rows are still there."""
    warehouse = Warehouse()
    provision.tables(_Services(_contracts(tmp_path / "before"), warehouse))
    warehouse.query("INSERT INTO inventory_curated.suppliers (supplier_code) VALUES ('ACME')")
    provision.tables(_Services(_contracts(tmp_path / "after", _COLUMN), warehouse))
    for table in ("inventory_raw.suppliers", "inventory_curated.suppliers", "inventory_curated.suppliers_history"):
        assert warehouse.columns(table).count("fax_number") == 1
    assert warehouse.query("SELECT supplier_code, fax_number FROM inventory_curated.suppliers") == [
        {"supplier_code": "ACME", "fax_number": None}
    ]


def test_a_column_that_the_ledger_lacks_is_added_and_nothing_else_is_touched(tmp_path: Path) -> None:
    """A data folder of an earlier release: its ledger has fewer columns."""
    warehouse, folder = Warehouse(), _contracts(tmp_path / "contracts")
    warehouse.query("CREATE TABLE inventory_ops.kpi_runs (run_id STRING, kpi STRING)")
    provision.tables(_Services(folder, warehouse))
    assert {"run_id", "definition_version", "finished_at"} <= set(warehouse.columns("inventory_ops.kpi_runs"))
    assert all("inventory_ops.kpi_runs" in line for line in warehouse.sent[-1].split(";\n"))
    before = len(warehouse.sent)
    provision.tables(_Services(folder, warehouse))
    assert not any("ALTER" in script for script in warehouse.sent[before:])


def test_nothing_is_added_in_an_environment_with_a_prefix_that_lacks_nothing(tmp_path: Path) -> None:
    """The prefix also gets into texts of a statement: no table may look as if it lacked its columns for that."""
    warehouse, folder = Warehouse(prefix="mine_"), _contracts(tmp_path / "contracts")
    for _ in range(2):
        provision.tables(_Services(folder, warehouse))
    assert not any("ALTER" in script for script in warehouse.sent)


def test_an_environment_that_begins_is_not_asked_for_its_columns(tmp_path: Path) -> None:
    """The question takes seconds on a laptop."""
    warehouse = Warehouse()
    provision.tables(_Services(_contracts(tmp_path / "contracts"), warehouse))
    assert not any("INFORMATION_SCHEMA.COLUMNS" in script for script in warehouse.sent)
