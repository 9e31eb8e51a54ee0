"""The current rows of each feed, compared with what its loads stated: the newest statement of a key counts."""

from collections.abc import Iterator

from cli.audit.counts import Break
from functions.transform.merge import NEWEST_FIRST
from stockflow.contracts import Contract
from stockflow.services import Services

_DIFFERENT = """
SELECT
  COALESCE(newest._load_id, kept._load_id) AS load_id,
  COUNT(*) AS `rows`,
  MIN(COALESCE(newest._row, kept._row)) AS example
FROM (
  SELECT {columns}
  FROM inventory_curated.{feed}_history
  WHERE _replaced_by IS NULL
  QUALIFY ROW_NUMBER() OVER (PARTITION BY {keys} ORDER BY {newest_first}) = 1
) AS newest
FULL JOIN inventory_curated.{feed} AS kept ON {same_key}
WHERE {differs}
GROUP BY 1
"""


def current_rows(services: Services) -> Iterator[Break]:
    """Each current row is the newest statement of its key, cell by cell, and no key that is stated has none."""
    for feed, contract in services.contracts.items():
        for row in services.warehouse.query(_sql(contract)):
            differ = f"{row['rows']} differ" if row["rows"] != 1 else "1 differs"
            yield Break(
                row["load_id"],
                f"the newest statement of each key as the current row of {feed}",
                f"{differ}, such as row {row['example']}",
            )


def _sql(contract: Contract) -> str:
    columns = [*(c.name for c in contract.columns), "_load_id", "_row"]
    return _DIFFERENT.format(
        feed=contract.feed,
        columns=", ".join(columns),
        keys=", ".join(contract.key),
        newest_first=NEWEST_FIRST,
        same_key=" AND ".join(f"newest.{c} = kept.{c}" for c in contract.key),
        differs=" OR ".join(f"newest.{c} IS DISTINCT FROM kept.{c}" for c in columns),
    )
