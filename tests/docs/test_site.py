"""`make site`: one searchable site; every page is in its navigation and no link leads nowhere."""

import json
import logging
import re
from pathlib import Path

import pytest
from mkdocs.exceptions import Abort
from pymdownx.superfences import SuperFencesException
from selenium.webdriver.common.by import By

from cli.catalog.pages import pages
from scripts.site import PAGES, ROOT, build
from tests.support.browser import NEEDS_BROWSER, browser

DIAGRAMS = {"flow": "landing bucket", "architecture": "contracts/*.yaml", "large-files": "rows 1 to n"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly: a page that the navigation lacks, a link or an anchor that is not there, ends it."""
    folder = tmp_path_factory.mktemp("site")
    build(ROOT, folder / "source", folder / "site", pages())
    return folder / "site"


def test_every_page_is_there_and_can_be_found(site: Path) -> None:
    pages = {p.relative_to(ROOT) for pattern in PAGES if pattern.endswith(".md") for p in ROOT.glob(pattern)}
    missing = [p for p in pages if p.name != "README.md" and not (site / p).with_suffix(".html").exists()]
    assert missing == [] and (site / "index.html").exists()
    found = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    assert any(entry["location"].startswith("docs/runbook.html") for entry in found)


def test_the_catalogue_has_every_feed_with_its_columns_rules_and_kpis(site: Path) -> None:
    """It is found by the search, too: by a column, and by another name of it."""
    page = (site / "catalogue" / "sales.html").read_text(encoding="utf-8")
    assert all(words in page for words in ("receipt_number", "quantity_range", "inventory_curated.sales_history"))
    assert "kpi-stock_daily.html" in page and "lineage/sales.svg" in page
    found = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    places = [e["location"] for e in found if e["location"].startswith("catalogue/") and "délai" in e["text"]]
    assert "catalogue/products.html#columns" in places


def test_pages_open_without_a_server_and_fetch_nothing_from_other_hosts(site: Path) -> None:
    page = (site / "docs" / "runbook.html").read_text(encoding="utf-8")
    assert re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//', page) == []
    assert (site / "search" / "search_index.js").exists()


def test_every_diagram_is_drawn_while_the_site_is_built(site: Path) -> None:
    """What GitHub draws from Mermaid stands in the page as SVG, and its source does not."""
    fenced = {p for p in site.parent.joinpath("source").rglob("*.md") if "```mermaid" in p.read_text(encoding="utf-8")}
    assert {p.stem for p in fenced} == DIAGRAMS.keys()
    for name in DIAGRAMS:
        page = (site / "docs" / name).with_suffix(".html").read_text(encoding="utf-8")
        assert "<svg" in page and not re.search(r"sequenceDiagram|flowchart (LR|TB)", page), name


@NEEDS_BROWSER
def test_a_person_sees_the_diagrams_without_a_network(site: Path, tmp_path: Path) -> None:
    """A real browser opens the pages from their folder: each diagram is as wide as the text, and can be read."""
    with browser(tmp_path) as driver:
        for name, word in DIAGRAMS.items():
            driver.get((site / "docs" / name).with_suffix(".html").as_uri())
            svg = driver.find_element(By.CSS_SELECTOR, "div.diagram svg")
            text = driver.find_element(By.CSS_SELECTOR, "article p")
            assert word in svg.text.replace("\n", " "), name
            assert 300 < svg.size["width"] <= text.size["width"] + 1 and svg.size["height"] > 60, (name, svg.size)
        asked = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = {m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"}
    assert {u for u in urls if not u.startswith(("file:", "data:", "blob:", "chrome:"))} == set()


def test_a_diagram_that_cannot_be_drawn_ends_the_build(tmp_path: Path) -> None:
    """With its text, so that it is found."""
    _project(tmp_path, "# Start\n\n```mermaid\nflowchart LR\n  a -->\n```\n")
    with pytest.raises(SuperFencesException, match=r"not a valid Mermaid diagram[\s\S]*a -->"):
        build(tmp_path, tmp_path / "source", tmp_path / "site")


def test_a_broken_link_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A small project whose only page links to a page that nobody wrote."""
    _project(tmp_path, "# Start\n\n[here](docs/nowhere.md)\n")
    with caplog.at_level(logging.WARNING), pytest.raises(Abort):
        build(tmp_path, tmp_path / "source", tmp_path / "site")
    assert "docs/nowhere.md" in caplog.text


def _project(folder: Path, page: str) -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:\n")[0]
    (folder / "mkdocs.yml").write_text(f"{text}nav: [README.md]\n", encoding="utf-8")
    (folder / "README.md").write_text(page, encoding="utf-8")
