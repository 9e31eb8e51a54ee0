"""ingest imports only what it needs, when it needs it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
HEAVY = ("pandas", "great_expectations", "sqlglot", "python_calamine", "google.cloud.storage", "google.cloud.bigquery",
         "google.cloud.pubsub_v1")  # fmt: skip


def _loaded(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*(m for m in {HEAVY!r} if m in sys.modules))"
    out = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(out.stdout.split())


def test_the_entry_point_opens_no_client_and_no_format() -> None:
    assert _loaded("import functions.ingest.main") == set()


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
        staging = Staging(arrow_schema(contract), "0" * 20, datetime.datetime.now(datetime.UTC))
        list(stage(chunks, staging, io.BytesIO()))
    assert staging.rows > 300
"""
    assert _loaded(code) == set()
