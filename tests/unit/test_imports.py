"""Each function's process imports only what it needs, when it needs it, and can do without what its zip lacks."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("ingest", "validate", "transform", "kpi")
CLIENTS = {"google.cloud.storage", "google.cloud.bigquery", "google.cloud.pubsub_v1"}
HEAVY = {
    "pandas", "numpy", "pyarrow", "great_expectations", "sqlglot", "python_calamine", "charset_normalizer",
    "openpyxl", "fastavro", "duckdb", "typer", "rich", "streamlit", "altair", "local", "cli", *CLIENTS,
}  # fmt: skip
# What an instance imports before its first event. validate's Great Expectations follows in the background (preload.py).
AT_START = {
    "ingest": {"pyarrow", "numpy"},
    "validate": {"pandas", "pyarrow", "numpy"},
    "transform": set(),
    "kpi": {"sqlglot"},
}
# Distributions and the modules that they are known by, where the two differ.
MODULES = {"great-expectations": "great_expectations", "python-calamine": "python_calamine",
           "charset-normalizer": "charset_normalizer"}  # fmt: skip
REPORT = """
import json, sys
heavy = {heavy!r}
print(json.dumps([sorted(m for m in heavy if m in sys.modules),
                  sorted(m.split(".")[1] for m in sys.modules if m.startswith("functions.") and m.count(".") == 1)]))
"""
OPEN_ALL = """
from stockflow.services import services
ready = services()
ready.warehouse, ready.publisher, ready.ledger, ready.contracts
"""
BLOCK = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
"""


def loaded(code: str, blocked: Iterable[str] = ()) -> tuple[set[str], list[str]]:
    """Run code in a process of its own; return the heavy modules it imported, and the functions."""
    endpoints = {"BIGQUERY_EMULATOR_HOST": "http://127.0.0.1:1", "PUBSUB_EMULATOR_HOST": "127.0.0.1:1",
                 "STORAGE_EMULATOR_HOST": "http://127.0.0.1:1", "GOOGLE_CLOUD_PROJECT": "p"}  # fmt: skip
    script = BLOCK.format(blocked=sorted(blocked)) + code + REPORT.format(heavy=sorted(HEAVY))
    command = [sys.executable, "-c", script]
    out = subprocess.run(command, cwd=ROOT, env=endpoints, capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stderr
    heavy, functions = json.loads(out.stdout.splitlines()[-1])
    return set(heavy), functions


@cache
def carried(function: str) -> set[str]:
    """Return the modules (of those that are heavy) that a function's lock names."""
    lock = (ROOT / f"functions/{function}/requirements.txt").read_text()
    names = re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE)
    return {MODULES.get(name, name) for name in names}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_entry_point_imports_what_the_function_is_about_and_opens_no_client(function: str) -> None:
    heavy, functions = loaded(f"import functions.{function}.main")
    assert heavy == AT_START[function]
    assert functions == [function]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_opens_its_clients_without_what_its_zip_does_not_carry(function: str) -> None:
    foreign = {m for m in HEAVY - CLIENTS if m not in carried(function)}
    heavy, _ = loaded(f"import functions.{function}.main" + OPEN_ALL, foreign)
    assert heavy & foreign == set()
    assert {"google.cloud.bigquery", "google.cloud.pubsub_v1"} <= heavy


def test_each_zip_carries_the_heavy_packages_that_only_it_needs() -> None:
    large = {"pandas", "pyarrow", "great_expectations", "sqlglot", "python_calamine", "openpyxl", "duckdb", "streamlit"}
    assert {f: carried(f) & large for f in FUNCTIONS} == {
        "ingest": {"pyarrow", "python_calamine"},
        "validate": {"great_expectations", "pandas", "pyarrow"},
        "transform": set(),
        "kpi": {"sqlglot"},
    }


def test_reading_a_file_imports_no_pandas_even_where_it_is_installed() -> None:
    code = """
import datetime, io
from tests.unit.ingest.reading import contracts
from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Facts, Target
from functions.ingest.staging import Staging, arrow_schema, stage
for name in ("sales_2026-W40.csv", "sales_2026-W38.jsonl", "sales_2026-W39.parquet"):
    contract = contracts()["sales"]
    with open("samples/sales/" + name, "rb") as file:
        chunks = decode(file, Target(contract, name), Facts(), 10**9)
        now = datetime.datetime.now(datetime.UTC)
        staging = Staging(arrow_schema(contract), "0" * 20, "1" * 20, now.date(), now)
        list(stage(chunks, staging, io.BytesIO()))
    assert staging.rows > 300
"""
    assert loaded(code)[0] <= {"pyarrow", "numpy", "charset_normalizer"}


def test_no_command_needs_the_dashboard_of_the_laptop() -> None:
    """What commands and the dashboard share stands in cli/: a command for the cloud works without local/dashboard."""
    found = {p.relative_to(ROOT): p.read_text(encoding="utf-8") for p in (ROOT / "cli").rglob("*.py")}
    assert [path for path, text in found.items() if "local.dashboard" in text] == []
