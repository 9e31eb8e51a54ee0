"""A small warehouse for the dashboard's tests: two KPIs, a loaded file and a rejected one."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from google.cloud import bigquery as bq

from stockflow.schema import ops_schema, pipeline
from stockflow.services import Services

START = date(2026, 9, 1)
HEADER = (
    "/*\ntitle: {title}\ndescription: D.\nmeaning: What it says.\nformula: F\nsource: S\nunit: {unit}\n"
    "grain: [sku, location_code]\nowner: o\nlookback_days: 0\ndirection: {direction}\nrollup: {rollup}\n*/\n"
    "SELECT business_date, sku, location_code, numerator, denominator, value, reason_code, coverage_pct\n"
    "FROM inventory_kpi.stock_daily"
)
KPIS = {
    "days_of_supply": {"title": "Days of supply", "unit": "days", "direction": "down", "rollup": "ratio"},
    "stock_value": {"title": "Stock value", "unit": "EUR", "direction": "none", "rollup": "sum"},
}
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
    """1,000 euros in each store."""
    return [{**row, "value": 1000.0, "reason_code": None} for row in days_of_supply()]


def fill(services: Services) -> None:
    """Put a few rows into the tables that the page reads."""
    client, settings = services.warehouse.client, services.settings
    products = (("sku", "STRING"), ("category", "STRING"))
    put(client, settings.table("curated", "products"), products, [{"sku": "A", "category": "Tools"}])
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
    return {
        "load_stages": [
            *(
                {**load, "record_id": s, "run_id": s, "stage": s, "state": state, "lines": 9, "rows": 9}
                for s, state in done
            ),
            {**load, "load_id": "l2", "record_id": "r", "stage": "ingest", "state": "rejected"},
        ],
        "quarantine_rows": [
            {"run_id": "validate", "load_id": "l1", "landed_on": today, "feed": "sales", "line": 3, "stage": "validate",
             "rule": "quantity_type", "column_name": "quantity", "value": "deux", "recorded_at": now}
        ],
    }.get(table, [])  # fmt: skip
