"""The receipt as a sender sees it in a browser: nothing for axe to find, no server is asked, all is text."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from functions.ingest.receipts.page import page
from stockflow.services import Services
from tests.support.axe import findings
from tests.support.browser import NEEDS_BROWSER, browser

pytestmark = pytest.mark.integration
HOSTILE = "<img src=http://127.0.0.1:9/x onerror=\"document.title='owned'\">"
SAID: dict[str, Any] = {
    "object": f"sales/{HOSTILE} été.csv", "load_id": "6f1c", "feed": "sales", "state": "refreshed", "message": HOSTILE,
    "landed_at": datetime(2026, 9, 30, 8, 15, tzinfo=UTC),
    "read_as": ["read as: csv", "encoding cp1252 is a guess (67% sure)", f"columns not used: '{HOSTILE}'"],
    "columns": [{"header": "qté", "column": "quantity"}, {"header": HOSTILE, "column": None}],
    "conventions": {"decimal_mark": ",", "date_order": "dmy", "time_zone": "Europe/Paris"},
    "counts": {"records": 12_482, "loaded": 12_310, "superseded": 150, "quarantined": 19, "rejected": 3},
    "refused_by_reason": [
        {"reason": "too_few_cells", "column": None, "expected": None, "rows": 3, "first_line": 41},
        {"reason": "quantity_readable", "column": "quantity", "expected": HOSTILE, "rows": 19, "first_line": 77},
    ],
    "first_refused": [{"line": 77, "column": "quantity", "value": HOSTILE, "message": HOSTILE}],
    "warnings": [{"rule": "net_low", "column": "net_amount", "rows": 12}],
    "kpis": [{"kpi": "gmroi", "from_date": None, "to_date": None}],
}  # fmt: skip
HELD = SAID | {"state": "held", "kpis": [], "warnings": [], "refused_by_reason": [], "first_refused": []}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of a file that was loaded and of one that is held."""
    found = tmp_path_factory.mktemp("receipts")
    (found / "loaded.html").write_text(page(SAID, "été #1.refused.csv"), encoding="utf-8")
    (found / "held.html").write_text(page(HELD), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@NEEDS_BROWSER
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["loaded", "held"])
def test_axe_finds_nothing(driver: webdriver.Chrome, folder: Path, name: str, scheme: str) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    driver.get(f"file://{folder}/{name}.html")
    assert findings(driver) == []


@NEEDS_BROWSER
def test_what_a_sender_wrote_is_text_and_nothing_is_asked_of_a_server(driver: webdriver.Chrome, folder: Path) -> None:
    driver.get_log("performance")
    driver.get(f"file://{folder}/loaded.html")
    assert HOSTILE in driver.find_element(By.TAG_NAME, "h1").text and driver.title != "owned"
    assert driver.find_elements(By.TAG_NAME, "img") == []
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


@NEEDS_BROWSER
def test_it_adds_up_and_leads_to_the_refused_rows(driver: webdriver.Chrome, folder: Path) -> None:
    driver.get(f"file://{folder}/loaded.html")
    tiles = [t.text.replace(",", "").split("\n") for t in driver.find_elements(By.CSS_SELECTOR, ".tile")]
    (_, *parts), counts = tiles, {name: int(count) for count, name in tiles}
    assert counts["records"] == sum(int(count) for count, _ in parts)
    link = driver.find_element(By.LINK_TEXT, "été #1.refused.csv")
    assert link.get_attribute("href") == (folder / "été #1.refused.csv").as_uri()


def test_an_object_is_replaced_only_as_it_was_seen(services: Services) -> None:
    """What keeps the older of two receipts from taking the newer one's place."""
    store, bucket, name = services.object_store, services.settings.staging_bucket, "receipts/replaced.json"
    first = store.replace(bucket, name, b"1", "application/json", 0)
    assert first is not None
    assert store.replace(bucket, name, b"2", "application/json", 0) is None
    second = store.replace(bucket, name, b"3", "application/json", first)
    assert second is not None and store.replace(bucket, name, b"4", "application/json", first) is None
    assert store.read(bucket, name) == b"3"
