"""The reporting view of one KPI: its rows with names, and with the version of the definition that computed them."""

from functions.kpi.definition import Definition
from functions.kpi.graph import KPI_COLUMNS
from stockflow.services import Services

# Joined where the grain has the column: column -> (table, name of the joined one, what it is called in the view).
_NAMES = {
    "sku": ("products", "product", "product_name"),
    "location_code": ("locations", "location", "location_name"),
    "supplier_code": ("suppliers", "supplier", "supplier_name"),
}
# A table is computed anew when its definition changes, so all of its rows are of the version of its last run.
_VIEW = """
CREATE OR REPLACE VIEW inventory_reporting.kpi_{name} AS
SELECT
  {columns},
  run.definition_version,
  run.computed_at
FROM inventory_kpi.{name} AS computed
CROSS JOIN (
  SELECT
    ARRAY_AGG(definition_version ORDER BY finished_at DESC LIMIT 1)[SAFE_OFFSET(0)] AS definition_version,
    MAX(finished_at) AS computed_at
  FROM inventory_ops.kpi_runs
  WHERE kpi = '{name}' AND state = 'computed'
) AS run{joins}
"""


def view_name(definition: Definition) -> str:
    """Return the name of a KPI's view."""
    return f"inventory_reporting.kpi_{definition.name}"


def view_sql(definition: Definition) -> str:
    """Return the statement for a KPI's view."""
    columns, joins = ["computed.business_date"], ""
    for column in definition.grain:
        columns.append(f"computed.{column}")
        if column in _NAMES:
            table, name, shown = _NAMES[column]
            columns.append(f"{name}.name AS {shown}")
            joins += f"\nLEFT JOIN inventory_curated.{table} AS {name} ON {name}.{column} = computed.{column}"
    columns += [f"computed.{column}" for column in KPI_COLUMNS]
    return _VIEW.format(name=definition.name, columns=",\n  ".join(columns), joins=joins)


def make(definition: Definition, services: Services) -> str | None:
    """Make a KPI's view and return its name; None while its table is not there, which the kpi function makes."""
    if services.warehouse.layout(services.settings.table("kpi", definition.name)) is None:
        return None
    services.warehouse.query(view_sql(definition))
    return view_name(definition)


def drop(name: str, services: Services) -> None:
    """Drop a KPI's view, if it has one: what nobody computes any more is not reported as if it were."""
    services.warehouse.delete_table(services.settings.table("reporting", f"kpi_{name}"))


def is_there(definition: Definition, services: Services) -> bool:
    """Whether a KPI has its view."""
    return services.warehouse.layout(services.settings.table("reporting", f"kpi_{definition.name}")) is not None
