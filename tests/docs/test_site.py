"""`make site`: one searchable site; every page is in its navigation and no link leads nowhere."""

import json
import logging
import re
from pathlib import Path

import pytest
from mkdocs.exceptions import Abort

from scripts.catalogue_pages import pages
from scripts.site import PAGES, ROOT, build


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
    assert "../docs/kpis.html#stock_daily" in page
    found = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    places = [e["location"] for e in found if e["location"].startswith("catalogue/") and "délai" in e["text"]]
    assert "catalogue/products.html#columns" in places


def test_pages_open_without_a_server_and_fetch_nothing_from_other_hosts(site: Path) -> None:
    page = (site / "docs" / "runbook.html").read_text(encoding="utf-8")
    assert re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//', page) == []
    assert (site / "search" / "search_index.js").exists()


def test_a_broken_link_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A small project whose only page links to a page that nobody wrote."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:\n")[0]
    (tmp_path / "mkdocs.yml").write_text(f"{text}nav: [README.md]\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("# Start\n\n[here](docs/nowhere.md)\n", encoding="utf-8")
    with caplog.at_level(logging.WARNING), pytest.raises(Abort):
        build(tmp_path, tmp_path / "source", tmp_path / "site")
    assert "docs/nowhere.md" in caplog.text
