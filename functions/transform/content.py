"""Keys that state something else altogether: two documents with one number, not one and its correction."""

from functions.transform.files import template
from stockflow.contracts import Contract

_NOTHING = "restated AS (\n  SELECT CAST(NULL AS STRING) AS load_id, CAST(NULL AS STRING) AS said\n),"


def restated(contract: Contract) -> str:
    """Return the table ``restated``: per load what its record says of such keys; empty where the key holds the SKU."""
    rest = [c.name for c in contract.columns if c.name not in contract.key]
    if "sku" not in rest:
        return _NOTHING
    told = ["sku", *(n for n in _where_and_when(contract) if n in rest)]
    text = template("restated.sql").rstrip()
    for name, piece in {
        "columns": ", ".join([*contract.key, *told, "_load_id"]),
        "before_columns": "".join(_before(n) for n in told),
        "is_other_content": _is_other(told),
        "example": _example(contract, told),
    }.items():
        text = text.replace(f"<<{name}>>", piece)
    return text


def _where_and_when(contract: Contract) -> tuple[str, ...]:
    return ("location_code", contract.business_date or "")


def _before(name: str) -> str:
    return f",\n        LEAD({name}) OVER (PARTITION BY <<keys>> ORDER BY <<newest_first>>) AS _before_{name}"


def _is_other(told: list[str]) -> str:
    """Another product; and where the key holds not both place and day, another one of these, too."""
    sku, *others = (f"{n} IS DISTINCT FROM _before_{n}" for n in told)
    return f"{sku} AND ({' OR '.join(others)})" if others else sku


def _example(contract: Contract, told: list[str]) -> str:
    now = [f"CAST({n} AS STRING) AS {n}" for n in (*contract.key, *told)]
    before = [f"CAST(_before_{n} AS STRING) AS before_{n}" for n in told]
    return ", ".join([*now, *before, "_before_load_id AS before_load_id"])
