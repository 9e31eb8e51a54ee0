"""`stockflow catalog build`: what each feed, column and KPI means, as a site that needs neither server nor network."""

import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from typer.testing import CliRunner

from cli import target
from cli.main import app
from cli.output import CommandError
from functions.kpi.catalog import load_definitions
from stockflow.contracts import load_contracts
from tests.support.axe import findings
from tests.support.browser import NEEDS_BROWSER, browser

ROOT = Path(__file__).parents[2]
CONTRACTS = load_contracts(ROOT / "contracts")
DEFINITIONS = load_definitions(str(ROOT / "functions/kpi/definitions"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as the command builds it."""
    folder = tmp_path_factory.mktemp("catalogue") / "site"
    done = CliRunner().invoke(app, ["catalog", "build", "--to", str(folder), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout[done.stdout.index("{") :])["index"] == str(folder / "index.html")
    return folder


@pytest.mark.parametrize("inside", ["file/site", "/proc/site", "read_only"])
def test_a_folder_that_cannot_be_written_to_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    """Before anything is asked or built: what it is, why, and what to do."""
    (tmp_path / "file").touch()
    (tmp_path / "read_only").mkdir()
    may, to = os.access, tmp_path / inside
    monkeypatch.setattr(os, "access", lambda path, mode: may(path, mode) and not (mode & os.W_OK and path == to))
    monkeypatch.setattr(target, "reachable", lambda: pytest.fail("asked before the folder was looked at"))
    done = CliRunner().invoke(app, ["catalog", "build", "--to", str(to)])
    assert done.exit_code == 1 and isinstance(done.exception, CommandError)
    assert str(done.exception).startswith(f"cannot write into {to}: ")
    assert str(done.exception).endswith("name a folder that can be written to: `stockflow catalog build --to FOLDER`")


def test_each_feed_has_its_columns_and_rules(site: Path) -> None:
    for feed, contract in CONTRACTS.items():
        page = (site / f"{feed}.html").read_text(encoding="utf-8")
        assert all(f"<code>{column.name}</code>" in page for column in contract.columns), feed
        assert all(f"<code>{rule.id}</code>" in page for rule in contract.rules), feed


def test_each_kpi_has_its_formula_and_sql(site: Path) -> None:
    for name, definition in DEFINITIONS.items():
        page = (site / f"kpi-{name}.html").read_text(encoding="utf-8")
        assert definition.owner in page and "SELECT" in page, name


def test_each_has_its_lineage_as_a_picture(site: Path) -> None:
    """From the raw table on: the picture names what it is about."""
    for name in [*CONTRACTS, *(f"kpi-{name}" for name in DEFINITIONS)]:
        picture = ET.fromstring((site / "lineage" / f"{name}.svg").read_text(encoding="utf-8"))
        assert name.removeprefix("kpi-")[:25] in "".join(picture.itertext()), name
        assert f"lineage/{name}.svg" in (site / f"{name}.html").read_text(encoding="utf-8")


@NEEDS_BROWSER
def test_a_column_is_found_by_its_name(site: Path, tmp_path: Path) -> None:
    """A person opens the folder, searches, and is led to the feed; the pictures are drawn."""
    with browser(tmp_path) as driver:
        driver.implicitly_wait(20)
        driver.get((site / "index.html").as_uri() + "?q=receipt_number")
        found = driver.find_element(By.CSS_SELECTOR, ".md-search-result__link")
        assert "sales.html" in str(found.get_attribute("href"))
        driver.get((site / "kpi-days_of_supply.html").as_uri())
        picture = driver.find_element(By.CSS_SELECTOR, "img[src*='lineage/']")
        assert driver.execute_script("return arguments[0].complete && arguments[0].naturalWidth > 0", picture)
        assert picture.size["width"] > 500, "as wide as the text"


@NEEDS_BROWSER
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_either_scheme(site: Path, tmp_path: Path, scheme: str) -> None:
    """In the colours that the reader's system asks for."""
    with browser(tmp_path) as driver:
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        for page in ("index", "sales", "kpi-gmroi"):
            driver.get((site / f"{page}.html").as_uri())
            body = driver.find_element(By.TAG_NAME, "body")
            assert body.get_attribute("data-md-color-scheme") == {"light": "default", "dark": "slate"}[scheme]
            assert findings(driver) == [], page
