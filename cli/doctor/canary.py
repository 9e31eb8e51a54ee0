"""A file that goes all the way and changes nothing that anybody reads."""

import time
from collections.abc import Iterator

from cli.doctor.finding import Finding
from cli.drop import follow
from stockflow.identity import load_id
from stockflow.services import Services

# XTS is ISO 4217's code for tests: no amount is in it, so no KPI depends on its rate. One row of one day, stated
# anew each time, so canaries do not pile up.
OBJECT = "exchange_rates/canary.csv"
_TEXT = "date,currency,rate\n2000-01-01,XTS,{rate:.6f}\n"


def check(services: Services, timeout: int) -> Iterator[Finding]:
    """Drop a canary and follow it to the KPIs."""
    rate = 1 + time.time() % 1e6 / 1e6  # another one each time: the same bytes would be a duplicate
    landing = services.settings.landing_bucket
    services.object_store.write(landing, OBJECT, _TEXT.format(rate=rate).encode(), "text/csv")
    landed = services.object_store.stat(landing, OBJECT)
    assert landed is not None, f"gs://{landing}/{OBJECT} vanished after the upload"
    load = load_id(landing, OBJECT, landed.generation)
    rows = follow(services, [load], timeout)
    found = str(rows[0]["state"]) if rows else "no load"
    fix = f"`stockflow explain {load}`, the functions' ERROR lines, `stockflow deadletters list`"
    yield Finding(
        f"canary {load}", "refreshed", f"{found} after {timeout} s" if not rows else found, fix, found == "refreshed"
    )
