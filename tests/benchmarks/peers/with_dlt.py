"""The same job by dlt (file to raw) and dbt-duckdb (raw to curated, refused rows, one KPI, tests of the key).

python with_dlt.py FILE FOLDER
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}

import dlt
import duckdb
import pyarrow as pa
from dbt.cli.main import dbtRunner
from pyarrow import csv

_TYPED = """
SELECT
  *,
  TRY_CAST(line_number AS BIGINT) AS typed_line,
  TRY_CAST(business_date AS DATE) AS typed_date,
  TRY_CAST(quantity AS DECIMAL(38, 9)) AS typed_quantity,
  TRY_CAST(net_amount AS DECIMAL(38, 9)) AS typed_amount
FROM raw.sales
"""
_GOOD = """typed_line IS NOT NULL AND typed_date IS NOT NULL AND typed_quantity IS NOT NULL AND typed_amount IS NOT NULL
  AND location_code != '' AND regexp_full_match(sku, '[\\w .+/#&()-]{1,40}')"""
MODELS = {
    "typed.sql": "{{ config(materialized='view') }}" + _TYPED,
    "refused.sql": "SELECT * FROM {{ ref('typed') }} WHERE NOT (" + _GOOD + ")",
    "sales.sql": f"""
SELECT receipt_number, typed_line AS line_number, typed_date AS business_date, sku, location_code,
  typed_quantity AS quantity, typed_amount AS net_amount
FROM {{{{ ref('typed') }}}}
WHERE {_GOOD}
QUALIFY ROW_NUMBER() OVER (PARTITION BY receipt_number, typed_line ORDER BY row_number DESC) = 1
""",
    "units_by_day.sql": """
SELECT business_date, location_code, SUM(quantity) AS value FROM {{ ref('sales') }} GROUP BY ALL
""",
    "schema.yml": """
models:
  - name: sales
    columns:
      - {name: receipt_number, data_tests: [not_null]}
      - {name: quantity, data_tests: [not_null]}
""",
}
PROJECT = "name: peer\nprofile: peer\nversion: '1.0'\nmodels: {peer: {+materialized: table}}\n"
PROFILE = "peer: {target: t, outputs: {t: {type: duckdb, path: '%s', threads: 2}}}\n"


def batches(file: str) -> Iterator[pa.Table]:
    """Yield the file in parts, as text, with the number of each row."""
    with Path(file).open(encoding="utf-8") as lines:
        names = lines.readline().strip().split(",")
    options = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    number = 0
    for batch in csv.open_csv(file, convert_options=options, read_options=csv.ReadOptions(block_size=16 << 20)):
        part = pa.Table.from_batches([batch])
        yield part.append_column("row_number", pa.array(range(number, number + len(part)), pa.int64()))
        number += len(part)


def main(file: str, folder: Path) -> None:
    """Load, transform, test; print how many rows each table has."""
    database = folder / "dlt.duckdb"
    pipeline = dlt.pipeline(
        "peer",
        dataset_name="raw",
        pipelines_dir=str(folder / "dlt"),
        destination=dlt.destinations.duckdb(str(database)),
    )
    pipeline.run(dlt.resource(lambda: batches(file), name="sales"), write_disposition="append")
    (folder / "models").mkdir()
    for name, text in MODELS.items():
        (folder / "models" / name).write_text(text)
    (folder / "dbt_project.yml").write_text(PROJECT)
    (folder / "profiles.yml").write_text(PROFILE % database)
    place = ["--project-dir", str(folder), "--profiles-dir", str(folder)]
    done = dbtRunner().invoke(["--quiet", "build", *place])
    assert done.success, done.exception or done.result
    with duckdb.connect(str(database)) as db:
        counts = db.execute(
            "SELECT (SELECT COUNT(*) FROM main.sales), (SELECT COUNT(*) FROM main.refused), "
            "(SELECT SUM(value) FROM main.units_by_day)"
        ).fetchone()
    print(json.dumps(dict(zip(("rows", "refused", "units"), map(int, counts or ()), strict=False))))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
