"""The job in one script: read, refuse, type, keep the last statement of each key, store, one KPI. pandas and DuckDB.

python with_pandas.py FILE FOLDER
"""

import json
import sys
from pathlib import Path

import duckdb
import pandas as pd

KEY = ["receipt_number", "line_number"]


def main(file: str, folder: Path) -> None:
    """Write curated rows, refused rows and the KPI; print how many rows each has."""
    raw = pd.read_csv(file, dtype=str, keep_default_na=False)
    typed = raw.assign(
        line_number=pd.to_numeric(raw.line_number, errors="coerce"),
        business_date=pd.to_datetime(raw.business_date, format="%Y-%m-%d", errors="coerce"),
        quantity=pd.to_numeric(raw.quantity, errors="coerce"),
        net_amount=pd.to_numeric(raw.net_amount, errors="coerce"),
    )
    bad = typed[["line_number", "business_date", "quantity", "net_amount"]].isna().any(axis=1)
    bad |= ~raw.sku.str.fullmatch(r"[\w .+/#&()-]{1,40}") | (raw.location_code == "")
    raw[bad].to_csv(folder / "refused.csv", index=False)
    curated = typed[~bad].drop_duplicates(KEY, keep="last")
    with duckdb.connect(str(folder / "pandas.duckdb")) as db:
        db.register("curated_frame", curated)
        db.execute("CREATE TABLE sales AS SELECT * FROM curated_frame")
        db.execute(
            "CREATE TABLE units_by_day AS "
            "SELECT business_date, location_code, SUM(quantity) AS value FROM sales GROUP BY ALL"
        )
        kpis = db.execute("SELECT COUNT(*), SUM(value) FROM units_by_day").fetchone()
    print(json.dumps({"rows": len(curated), "refused": int(bad.sum()), "units": int(kpis[1]) if kpis else 0}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
