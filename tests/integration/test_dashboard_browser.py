"""The dashboard as a person sees it: the real process, a real browser, the real warehouse emulator."""

import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from cli.texts import french
from stockflow.services import Services
from tests.integration.dashboard_shop import HEADER, KPIS, fill
from tests.support.axe import findings
from tests.support.browser import NEEDS_BROWSER, browser
from tests.support.dashboard import dashboard

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.integration,
    NEEDS_BROWSER,
]


@pytest.fixture(scope="module")
def shop(services: Services, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a warehouse with two KPIs, a loaded file with a refused row, and a rejected file."""
    folder = tmp_path_factory.mktemp("definitions")
    for name, header in KPIS.items():
        (folder / f"{name}.sql").write_text(HEADER.format(**header))
    (folder / "broken.sql").write_text("SELECT 1")
    fill(services)
    return {**os.environ, "STOCKFLOW_DEFINITIONS_URI": str(folder)}


@pytest.fixture(scope="module")
def page(shop: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator["Page"]:
    """The drawn page, in a browser."""
    folder = tmp_path_factory.mktemp("page")
    with (
        callers() as (proxy, called),
        dashboard({**shop, **proxy}, folder / "log") as running,
        browser(folder) as driver,
    ):
        driver.get(running.address)
        yield Page(driver, running.address, called)


class Page:
    """What a person can see and do on the dashboard."""

    def __init__(self, driver: webdriver.Chrome, address: str, called: list[bytes]) -> None:
        self.driver, self.address, self.called = driver, address, called
        try:
            self.until(lambda: len(self.all(".sf-tile")) == len(KPIS), 120)
        except TimeoutException:
            pytest.fail(f"the page was not drawn: {self.text('body')}")

    def all(self, css: str) -> list[Any]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css: str) -> str:
        return str(self.all(css)[0].text)

    def tile(self, kpi: str) -> str:
        return self.text(f"[data-kpi={kpi}]")

    def pointed_at(self, kpi: str) -> list[str]:
        """Point at the chart of a KPI's card; return what its places say."""
        chart = f"[data-card={kpi}] .sf-slots"
        ActionChains(self.driver).scroll_to_element(self.all(chart)[0]).move_to_element(self.all(chart)[0]).perform()
        return [str(place.get_attribute("title")) for place in self.all(f"{chart} i")]

    def prefers(self, scheme: str) -> None:
        """Set the system to light or dark."""
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)

    def english(self) -> list[str]:
        """The English texts of more than one word that the page says although there are French ones."""
        self.until(lambda: not self.all("[data-testid=stSpinner]"))
        shown = self.driver.find_element(By.TAG_NAME, "body").get_attribute("innerText") or ""
        return [text for text, other in french().items() if " " in text.strip() and text != other and text in shown]

    def until(self, condition: Any, seconds: float = 60) -> None:
        WebDriverWait(self.driver, seconds, ignored_exceptions=[Exception]).until(lambda _: condition())

    def follow(self, css: str, drawn: str) -> None:
        """Follow a link and wait until ``drawn`` is there."""
        self.until(lambda: self.all(css))
        self.driver.execute_script("arguments[0].click()", self.all(css)[0])
        self.until(lambda: self.all(drawn), 120)

    def go(self, name: str, drawn: str) -> None:
        """Choose a page in the head."""
        self.until(lambda: self._link(name))
        self._link(name).click()
        self.until(lambda: self.all(drawn), 120)

    def _link(self, name: str) -> Any:
        return next(a for a in self.all(".st-key-nav a") if a.text.strip().endswith(name))

    def choose(self, key: str, name: str) -> None:
        """Pick ``name`` in the filter ``key`` as a person does, with the keyboard."""
        self.until(lambda: self.all(f".st-key-{key} input"))
        self.all(f".st-key-{key} input")[0].send_keys(name, Keys.ENTER, Keys.ESCAPE)

    def requested(self) -> set[str]:
        """The addresses that the browser asked since it started, without the page's own."""
        entries = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        sent = [
            e["params"] for e in entries if e["method"] in {"Network.requestWillBeSent", "Network.webSocketCreated"}
        ]
        urls = {p.get("url") or p["request"]["url"] for p in sent}
        own = (
            self.address,
            self.address.replace("http", "ws"),
            "data:",
            "blob:",
            "chrome:",
            "chrome-untrusted:",
        )
        return {u for u in urls if not u.startswith(own)}


def test_each_kpi_has_a_tile_with_value_unit_and_trend(page: Page) -> None:
    assert "20.0" in page.tile("days_of_supply") and "days" in page.tile("days_of_supply")
    assert "€2,000" in page.tile("stock_value")
    assert "vs a week before" in page.tile("stock_value")
    assert len(page.all(".sf-tile img.sf-spark")) == len(KPIS)


def test_each_kpi_has_charts_that_are_drawn(page: Page) -> None:
    for kpi in KPIS:
        page.until(lambda kpi=kpi: page.all(f"[data-card={kpi}] .sf-plot img") and page.all(f"[data-card={kpi}] li"))
    assert page.text("[data-card=stock_value] .sf-bars").split() == ["LYO", "€1,000", "PAR", "€1,000"]
    told = page.pointed_at("stock_value")
    assert len(told) == 20
    assert told[-1] == "Sun 20 Sep 2026: €2,000 · Coverage 100 %"
    assert page.driver.execute_script("return document.querySelector('.sf-plot img').naturalWidth") > 0


def test_days_without_a_value_say_why(page: Page) -> None:
    assert "No value on 5 days: nothing was sold in the window" in page.text("[data-card=days_of_supply] .sf-card")


def test_a_definition_that_cannot_be_read_is_named_and_hides_no_other(page: Page) -> None:
    assert "broken.sql" in page.text("[data-testid=stAlert]")


def test_choosing_a_location_changes_the_figures_and_stands_in_the_address(page: Page) -> None:
    page.choose("locations", "LYO")
    page.until(lambda: "10.0" in page.tile("days_of_supply"))
    assert "€1,000" in page.tile("stock_value")
    page.until(lambda: "locations=LYO" in page.driver.current_url)


def test_a_tile_leads_to_the_page_of_its_kpi_with_the_filters_as_they_are(page: Page) -> None:
    """Made from the header: figure, definition, charts, rows, lineage, SQL, worked example."""
    try:
        page.follow("[data-kpi=days_of_supply] a", ".sf-steps")
    except TimeoutException:
        pytest.fail(f"{page.driver.current_url} was not drawn: {page.text('body')}")
    assert "kpi=days_of_supply" in page.driver.current_url and "locations=LYO" in page.driver.current_url
    assert "10.0" in page.text(".sf-hero") and "It is 10.0 now." in page.text(".sf-hero")
    facts = page.text(".sf-facts")
    assert "D." in facts and "lower" in facts and "sku, location_code" in facts
    page.until(lambda: page.all(".st-key-kpi-trend [data-testid=stVegaLiteChart] :is(canvas, svg)"))
    for by, name in (("location", "LYO"), ("category", "Tools"), ("sku", "A")):
        assert page.text(f".st-key-kpi-by-{by} .sf-bars").split() == [name, "10.0"]
    page.until(lambda: page.all(".st-key-kpi-rows [data-testid=stDataFrame]") and page.all(".st-key-export button"))
    assert "curated.sales" in page.text(".sf-steps")
    panels = page.driver.find_element(By.TAG_NAME, "body").get_attribute("textContent") or ""
    assert "FROM inventory_curated.sales" in panels and "given in inventory_curated.sales" in panels
    assert "by version abc123" in panels


def test_what_changed_names_the_largest_movement_and_the_line_behind_it(page: Page) -> None:
    """Paris went from 400 to 1,000 euros, and one line of a file says something of it."""
    page.go("What changed", ".st-key-moves tr.sf-chosen")
    rows = [row.text for row in page.all("[data-move]")]
    assert rows[0].startswith("Stock value") and "€1,400" in rows[0] and "+42.9 %" in rows[0]
    page.follow("[data-move=stock_value] a", ".st-key-why [data-testid=stVegaLiteChart] :is(canvas, svg)")
    assert "the parts add up to +€600" in page.text(".st-key-why")
    assert "PAR +€600" in page.text(".st-key-why")
    page.until(lambda: len(page.all("[data-testid=stDataFrame]")) == 2)  # the cells, and what files say


def test_data_quality_shows_what_needs_somebody_refusals_and_freshness(page: Page) -> None:
    page.go("Data quality", ".st-key-attention")
    assert "rejected" in page.text(".st-key-attention") and "stockflow drop" in page.text(".st-key-attention")
    reasons = page.text(".st-key-reasons")
    assert "quantity type" in reasons and "a.csv, line 3: deux, expected a number" in reasons
    assert "stockflow quarantine export --feed sales" in reasons
    doubts = page.text(".st-key-doubts")
    assert '2 values could be read two ways (1,045 = 1.045 / 1045); the contract says "."' in doubts
    assert "columns not used: 'Net Amnt' (nearest: net_amount, 90 %)" in doubts
    assert "stockflow sender accept SENDER --from a.csv" in doubts and "`" not in doubts
    day = page.all(".st-key-days tbody .sf-state, .st-key-days .sf-state")[0]
    assert day.text == "88 %" and "8 of 9 rows accepted" in str(day.get_attribute("title"))
    assert "sales" in page.text(".st-key-freshness") and "nothing yet" in page.text(".st-key-freshness")
    assert "1 file loaded" in page.text(".sf-chips").replace("\n", " ")


def test_filters_are_still_there_after_a_visit_to_pages_that_have_none(page: Page) -> None:
    """By the links of the head, and by a link of a page that is opened anew."""
    page.driver.get(f"{page.address}/?locations=LYO&by=category")
    page.until(lambda: "10.0" in page.tile("days_of_supply"))
    page.go("Data quality", ".st-key-attention")
    page.go("What changed", ".st-key-moves tr.sf-chosen")
    page.follow("[data-move=stock_value] a", ".st-key-why [data-testid=stVegaLiteChart] :is(canvas, svg)")
    page.go("Overview", ".sf-tile")
    page.until(lambda: "10.0" in page.tile("days_of_supply"))
    assert "locations=LYO" in page.driver.current_url
    page.until(lambda: page.text("[data-card=stock_value] .sf-bars").split() == ["Tools", "€1,000"])


def test_a_filter_that_is_taken_away_stays_away(page: Page) -> None:
    page.driver.get(f"{page.address}/?locations=LYO")
    page.until(lambda: "10.0" in page.tile("days_of_supply"))
    page.follow(".st-key-locations [aria-label='Clear all']", ".sf-tile")
    page.until(lambda: "20.0" in page.tile("days_of_supply"))
    page.go("Data quality", ".st-key-attention")
    page.go("Overview", ".sf-tile")
    page.until(lambda: "20.0" in page.tile("days_of_supply"))


def test_a_time_of_more_than_120_days_is_drawn_by_week_and_its_figures_are_those_of_the_last_day(page: Page) -> None:
    """1,400 euros on two days of the last week, 2,000 on five; one day in May, then none before September."""
    page.driver.get(f"{page.address}/?dates=2026-05-01&dates=2026-09-20")
    page.until(lambda: len(page.pointed_at("stock_value")) == 21)
    first, *_, last = page.pointed_at("stock_value")
    assert first == "Fri 1 May 2026 to Sun 3 May 2026: €1,000 · Coverage 100 %"
    assert last == "Mon 14 Sep 2026 to Sun 20 Sep 2026: €1,829 · Coverage 100 %"
    assert "€2,000" in page.tile("stock_value") and "+42.9 %" in page.tile("stock_value")
    assert "No value on 119 days" in page.text("[data-card=stock_value]")
    assert "a point is a week" in page.text("body")
    page.driver.get(f"{page.address}/kpi?kpi=stock_value&dates=2026-05-01&dates=2026-09-20")
    page.until(lambda: page.all(".st-key-kpi-trend [data-testid=stVegaLiteChart] :is(canvas, svg)"))
    assert "€2,000" in page.text(".sf-hero") and "a point is a week" in page.text(".st-key-kpi-trend")
    page.driver.get(page.address)
    page.until(lambda: len(page.pointed_at("stock_value")) == 20)
    assert "a point is a week" not in page.text("body")


def test_a_link_to_the_page_in_french_keeps_the_filters_and_leaves_no_english_text(page: Page) -> None:
    """Each page, with titles and sentences of the headers; then back to English."""
    page.driver.get(page.address)
    page.until(lambda: "20.0" in page.tile("days_of_supply"))
    page.choose("locations", "LYO")
    page.until(lambda: "10.0" in page.tile("days_of_supply"))
    page.follow(".sf-languages a[lang=fr]", ".sf-tiles")
    page.until(lambda: "Jours de stock" in page.tile("days_of_supply"))
    assert page.all("html[lang=fr]")
    assert "lang=fr" in page.driver.current_url and "locations=LYO" in page.driver.current_url
    assert "10,0" in page.tile("days_of_supply") and "jours" in page.tile("days_of_supply")
    assert "1\u202f000 €" in page.tile("stock_value") and "semaine précédente" in page.tile("stock_value")
    assert page.english() == []
    page.follow("[data-kpi=days_of_supply] a", ".sf-steps")
    assert "C'est 10,0 maintenant." in page.text(".sf-hero") and "D en français." in page.text(".sf-facts")
    assert page.english() == []
    page.go("Ce qui a changé", ".st-key-moves tr.sf-chosen")
    assert page.english() == []
    page.go("Qualité des données", ".st-key-attention")
    assert "refusés" in page.text(".st-key-attention") and page.english() == []
    page.follow(".sf-languages a[lang=en]", ".st-key-attention")
    page.until(lambda: "Files that need you" in page.text(".st-key-attention"))


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize(
    ("where", "drawn"),
    [
        ("", "[data-card=stock_value] .sf-plot img"),
        ("kpi?kpi=stock_value", ".st-key-kpi-rows [data-testid=stDataFrame] canvas"),
        ("changed?kpi=stock_value", ".st-key-why [data-testid=stVegaLiteChart] :is(canvas, svg)"),
        ("quality", ".st-key-attention"),
    ],
    ids=["overview", "kpi", "changed", "quality"],
)
def test_axe_finds_nothing(page: Page, where: str, drawn: str, scheme: str) -> None:
    page.prefers(scheme)
    page.driver.get(f"{page.address}/{where}")
    page.until(lambda: page.all(drawn), 120)
    page.until(lambda: not page.all("[data-testid=stSpinner], [data-stale=true]"))
    assert findings(page.driver) == []


def test_a_dark_system_gets_a_dark_page_and_nothing_left_the_machine(page: Page) -> None:
    def brightness(css: str, what: str) -> float:
        colour = page.all(css)[0].value_of_css_property(what)
        return sum(float(n) for n in re.findall(r"[\d.]+", colour)[:3]) / 3

    page.prefers("light")
    page.driver.refresh()
    page.until(lambda: page.all(".sf-head h1"))
    assert brightness(".stApp", "background-color") > 200 and brightness(".sf-head h1", "color") < 100
    page.prefers("dark")
    page.driver.refresh()
    page.until(lambda: page.all(".st-key-attention"))
    assert brightness(".stApp", "background-color") < 60 and brightness(".sf-head h1", "color") > 200
    assert brightness(".st-key-attention", "background-color") < 80
    assert page.requested() == set(), "the browser asked another host"
    assert page.called == [], "the server called another host"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"STOCKFLOW_DEFINITIONS_URI": "/nowhere"}, "stockflow demo"),
        ({"BIGQUERY_EMULATOR_HOST": "http://127.0.0.1:1"}, "stockflow up"),
    ],
    ids=["no KPI yet", "no warehouse"],
)
def test_with_nothing_to_show_the_page_says_what_to_do(
    change: dict[str, str], said: str, shop: dict[str, str], tmp_path: Path
) -> None:
    with (
        dashboard({**shop, **change}, tmp_path / "log") as running,
        browser(tmp_path) as driver,
    ):
        driver.get(running.address)
        WebDriverWait(driver, 120).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".sf-empty"))
        assert said in driver.find_element(By.CSS_SELECTOR, ".sf-empty").text


@contextmanager
def callers() -> Iterator[tuple[dict[str, str], list[bytes]]]:
    """A proxy that refuses and remembers whatever a process tries to reach outside."""
    seen: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_listen, args=(server, seen), daemon=True).start()
    address = f"http://127.0.0.1:{server.getsockname()[1]}"
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy")
    with server:
        yield {**dict.fromkeys(names, address), "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}, seen


def _listen(server: socket.socket, seen: list[bytes]) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            seen.append(connection.recv(1024))
