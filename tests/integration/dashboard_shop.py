"""A small warehouse for the dashboard's tests: two KPIs of two stores, a loaded file and a rejected one."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from google.cloud import bigquery as bq

from stockflow.schema import ops_schema, pipeline
from stockflow.services import Services

START = date(2026, 9, 1)
HEADER = """/*
title: {title}
description: D.
meaning: "It is {{value}} now."
french:
  title: {titre}
  description: D en français.
  meaning: "C'est {{value}} maintenant."
formula: F
source: S
unit: {unit}
grain: [sku, location_code]
owner: o
lookback_days: 0
direction: {direction}
rollup: {rollup}
examples:
  - given:
      inventory_curated.sales:
        - {{business_date: 2026-09-01, sku: A, location_code: LYO, quantity: 3}}
    expect:
      - {{business_date: 2026-09-01, sku: A, location_code: LYO, value: 3, reason_code: null}}
*/
SELECT
  business_date,
  sku,
  location_code,
  CAST(quantity AS FLOAT64) AS numerator,
  1.0 AS denominator,
  CAST(quantity AS FLOAT64) AS value,
  CAST(NULL AS STRING) AS reason_code,
  100.0 AS coverage_pct
FROM inventory_curated.sales
"""
KPIS = {
    "days_of_supply": {
        "title": "Days of supply",
        "titre": "Jours de stock",
        "unit": "days",
        "direction": "down",
        "rollup": "ratio",
    },
    "stock_value": {
        "title": "Stock value",
        "titre": "Valeur du stock",
        "unit": "EUR",
        "direction": "none",
        "rollup": "sum",
    },
}
# What the reading of the loaded file left in doubt.
DOUBTS = {
    "ingest": json.dumps({"unused_columns": [{"header": "Net Amnt", "nearest": "net_amount", "confidence": 0.9}]}),
    "validate": json.dumps({"ambiguous": [
        "decimal mark: 2 values could be read two ways (1,045 is 1.045 or 1045), the contract says .",
    ]}),
}  # fmt: skip
COLUMNS = (
    *(("business_date", "DATE"), ("sku", "STRING"), ("location_code", "STRING")),
    *((c, "FLOAT64") for c in ("numerator", "denominator", "value", "coverage_pct")),
    ("reason_code", "STRING"),
)


def days_of_supply() -> list[dict[str, Any]]:
    """LYO has 10 days of supply and PAR 30; on days 5 to 9 nothing sells."""
    return [
        {
            "business_date": str(START + timedelta(days=day)),
            "sku": "A",
            "location_code": place,
            "numerator": stock,
            "denominator": None if 5 <= day < 10 else 1.0,
            "value": None if 5 <= day < 10 else stock,
            "reason_code": "no_demand" if 5 <= day < 10 else None,
            "coverage_pct": 100.0,
        }
        for day in range(20)
        for place, stock in (("LYO", 10.0), ("PAR", 30.0))
    ]


def stock_value() -> list[dict[str, Any]]:
    """1,000 euros in each store; in Paris it was 400 until the last five days. Lyon's were counted on 1 May, too."""
    late = str(START + timedelta(days=15))
    may = {**days_of_supply()[0], "business_date": "2026-05-01", "value": 1000.0}
    return [may] + [
        {**row, "value": 400.0 if row["location_code"] == "PAR" and row["business_date"] < late else 1000.0,
         "reason_code": None}
        for row in days_of_supply()
    ]  # fmt: skip


def fill(services: Services) -> None:
    """Put a few rows into the tables that the pages read."""
    client, settings = services.warehouse.client, services.settings
    products = (("sku", "STRING"), ("category", "STRING"), ("name", "STRING"))
    put(
        client, settings.table("curated", "products"), products, [{"sku": "A", "category": "Tools", "name": "Hammer"}]
    )  # fmt: skip
    sales = (("business_date", "DATE"), ("sku", "STRING"), ("location_code", "STRING"), ("quantity", "NUMERIC"),
             ("_load_id", "STRING"), ("_line", "INT64"))  # fmt: skip
    sold = {"business_date": str(START + timedelta(days=18)), "sku": "A", "location_code": "PAR", "quantity": "6",
            "_load_id": "l1", "_line": 7}  # fmt: skip
    put(client, settings.table("curated", "sales"), sales, [sold])
    put(client, settings.table("kpi", "days_of_supply"), COLUMNS, days_of_supply())
    put(client, settings.table("kpi", "stock_value"), COLUMNS, stock_value())
    for name, table in pipeline()["ops_tables"].items():
        columns = [(c["name"], c["type"]) for c in ops_schema(table)]
        put(client, settings.table("ops", name), columns, ledger_rows(name))


def put(client: bq.Client, table: str, columns: Any, rows: list[dict[str, Any]]) -> None:
    schema = [bq.SchemaField(name, kind) for name, kind in columns]
    target = client.create_table(bq.Table(f"{client.project}.{table}", schema), exists_ok=True)
    config = bq.LoadJobConfig(schema=schema, write_disposition="WRITE_TRUNCATE")
    if rows:
        client.load_table_from_json(rows, target, job_config=config).result()


def ledger_rows(table: str) -> list[dict[str, Any]]:
    now = datetime.now(UTC).isoformat()
    today = now[:10]
    load = {"load_id": "l1", "feed": "sales", "object": "sales/a.csv"}
    load |= {"landed_on": today, "landed_at": now, "finished_at": now}
    done = (
        ("ingest", "loaded"),
        ("validate", "validated"),
        ("transform", "transformed"),
        ("kpi", "refreshed"),
    )
    tables: dict[str, list[dict[str, Any]]] = {
        "load_stages": [
            *(
                {**load, "record_id": s, "run_id": s, "stage": s, "state": state, "lines": 9, "rows": 9,
                 "quarantined": int(s == "validate"), "detail": DOUBTS.get(s, "{}")}
                for s, state in done
            ),
            {**load, "load_id": "l2", "record_id": "r", "stage": "ingest", "state": "rejected"},
        ],
        "kpi_runs": [
            {"run_id": "k", "kpi": "days_of_supply", "definition_version": "abc123", "state": "computed",
             "first_day": str(START), "last_day": str(START + timedelta(days=19)), "finished_at": now}
        ],
        "quarantine_rows": [
            {"run_id": "validate", "load_id": "l1", "landed_on": today, "feed": "sales", "line": 3, "stage": "validate",
             "rule": "quantity_type", "column_name": "quantity", "value": "deux", "expected": "a number",
             "recorded_at": now}
        ],
    }  # fmt: skip
    return tables.get(table, [])
