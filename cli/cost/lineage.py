"""What lineage tells Knowledge Catalog in a day: events and not dollars, since no list price says what one costs.

Google bills lineage in DCU-hours of premium processing, an "abstract billing unit", and by what is stored; how many an
event takes is not published (https://cloud.google.com/dataplex/pricing).
"""

from cli.cost.model import RECORDS, Load
from cli.cost.scans import LEDGER
from stockflow.settings import bundle_root

OF_A_RUN = 2  # START and how it ended (functions/ingest/lineage/events.py)
UNPRICED = "no price"


def events_of_a_file() -> int:
    """Return the events of one file: of each record that the stages add to the ledger."""
    return RECORDS[LEDGER] * OF_A_RUN


def most_events(load: Load) -> float:
    """Return how many events a day at most: those of files, and of each KPI in each drain."""
    kpis = len(list((bundle_root() / "functions" / "kpi" / "definitions").glob("*.sql")))
    return load.files * events_of_a_file() + load.drains["kpi"] * kpis * OF_A_RUN


def told(load: Load) -> dict[str, str]:
    """Return the row of lineage, which has no price."""
    return {
        "stage": "lineage", "what": "events for Knowledge Catalog, at most (optional.catalog)",
        "quantity": f"{most_events(load):,.0f}", "$ a day": UNPRICED, "$ per 1,000 files": UNPRICED,
    }  # fmt: skip
