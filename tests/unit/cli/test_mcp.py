"""An assistant gets the defined numbers with their source: the package's own client, a shop in this process."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from cli.main import COMMANDS
from cli.mcp.server import server
from cli.output import CommandError
from functions.kpi.catalog import load_definitions
from stockflow.services import Services
from tests.support.corner_shop import LOAD, corner_shop

ROOT = Path(__file__).parents[3]
FIRST, LAST = "2026-09-01", "2026-09-03"


class Assistant:
    """Asks the server as an assistant does, through the protocol's own client."""

    def __init__(self, services: Any) -> None:
        self.server = server(services)

    def ask(self, tool: str, **given: Any) -> dict[str, Any]:
        """Return what a tool answers."""
        result = self._called(tool, given)
        assert not result.is_error, result.content[0].text
        found: dict[str, Any] = result.structured_content
        assert json.loads(result.content[0].text) == found, "the text and the structure say the same"
        return found

    def refused(self, tool: str, **given: Any) -> str:
        """Return in which words a tool refuses."""
        result = self._called(tool, given)
        assert result.is_error
        return str(result.content[0].text)

    def tools(self) -> list[Any]:
        async def listed() -> Any:
            async with Client(self.server) as client:
                return (await client.list_tools()).tools

        return list(anyio.run(listed))

    def _called(self, tool: str, given: dict[str, Any]) -> Any:
        async def call() -> Any:
            async with Client(self.server) as client:
                return await client.call_tool(tool, given)

        return anyio.run(call)


@pytest.fixture(scope="module")
def shop() -> Iterator[Services]:
    yield corner_shop()


@pytest.fixture(scope="module")
def assistant(shop: Services) -> Assistant:
    return Assistant(lambda: shop)


def test_every_tool_reads_and_says_what_it_takes(assistant: Assistant) -> None:
    """Each is marked as one that only reads, has a description, and describes each of its arguments."""
    tools = assistant.tools()
    assert {"list_kpis", "read_kpi", "compare_kpi", "why_kpi", "lineage_kpi", "data_freshness", "explain_load"} <= {
        t.name for t in tools
    }
    for tool in tools:
        assert tool.annotations.read_only_hint and not tool.annotations.destructive_hint, tool.name
        assert tool.description.endswith("."), tool.name
        undescribed = [n for n, p in tool.input_schema.get("properties", {}).items() if "description" not in p]
        assert undescribed == [], (tool.name, undescribed)


def test_the_page_says_every_tool_and_how_the_server_is_registered(assistant: Assistant, tmp_path: Path) -> None:
    """Started as docs/mcp.md registers it, it speaks of the same tools, and prints nothing else."""
    page = (ROOT / "docs" / "mcp.md").read_text(encoding="utf-8")
    registered = json.loads(re.findall(r"```json\n(.*?)```", page, re.DOTALL)[0])["mcpServers"]["stockflow"]
    assert registered["command"].endswith("/.venv/bin/stockflow")
    args = ["-m", "cli.main", *(str(tmp_path) if a.startswith("/") else a for a in registered["args"])]
    env = {k: v for k, v in os.environ.items() if not k.startswith("STOCKFLOW_")}

    async def asked() -> tuple[list[str], Any]:
        parameters = StdioServerParameters(command=sys.executable, args=args, cwd=ROOT, env=env)
        async with Client(parameters) as client:
            return [t.name for t in (await client.list_tools()).tools], await client.call_tool("data_freshness", {})

    names, answer = anyio.run(asked)
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == names == [t.name for t in assistant.tools()]
    assert answer.is_error and "stockflow up" in answer.content[0].text


def test_every_kpi_is_listed_with_its_definition(assistant: Assistant, shop: Services) -> None:
    found = {k["kpi"]: k for k in assistant.ask("list_kpis")["kpis"]}
    defined = load_definitions(shop.settings.definitions_uri)
    assert found.keys() == {d.name for d in defined.values() if d.kind == "kpi"}
    assert found["net_sales"]["formula"] == "sum of the net amounts of sales and returns"
    assert found["net_sales"]["split_by"] == ["sku", "location_code", "category"]
    assert found["net_sales"]["version"] == defined["net_sales"].version


def test_a_figure_has_its_day_its_unit_and_its_source(assistant: Assistant, shop: Services) -> None:
    """48 + 24 + 5 euros on the newest day."""
    found = assistant.ask("read_kpi", kpi="net_sales")
    assert (found["day"], found["value"], found["unit"]) == (LAST, 77.0, "EUR")
    assert found["said"] == "Net sales of the day were €77.0."
    version = load_definitions(shop.settings.definitions_uri)["net_sales"].version
    assert found["source"] == {
        "project": "local", "table": "inventory_kpi.net_sales", "definition_version": version,
        "defined_version": version, "computed_at": "2026-10-01T06:00:00+00:00", "as_of": LAST,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("where", "by", "value", "rows"),
    [
        ({"location_code": "PAR"}, "", 24.0, None),
        ({"location_code": ["LYO", "PAR"], "category": "garden"}, "", 5.0, None),
        (None, "location_code", 77.0, {"LYO": 53.0, "PAR": 24.0}),
        ({"location_code": "LYO"}, "category", 53.0, {"tools": 48.0, "garden": 5.0}),
    ],
)
def test_a_part_of_the_business(assistant: Assistant, where: Any, by: str, value: float, rows: Any) -> None:
    found = assistant.ask("read_kpi", kpi="net_sales", where=where, by=by)
    assert found["value"] == value
    assert rows is None or {r["name"]: r["value"] for r in found["rows"]} == rows


def test_what_has_no_value_says_why(assistant: Assistant) -> None:
    """In Paris, seeds were sold without an amount: that is unknown, not 0."""
    found = assistant.ask("read_kpi", kpi="net_sales", day="2026-09-02", where={"location_code": "PAR"})
    assert (found["value"], found["reason"], found["said"]) == (None, "no_price", "no price is known")


def test_a_series_is_one_figure_a_day(assistant: Assistant) -> None:
    found = assistant.ask("read_series", kpi="net_sales", first=FIRST, last=LAST)
    assert [(d["day"], d["value"]) for d in found["days"]] == [(FIRST, 35.0), ("2026-09-02", 10.0), (LAST, 77.0)]


def test_two_days_are_compared_largest_change_first(assistant: Assistant) -> None:
    found = assistant.ask("compare_kpi", kpi="net_sales", first=FIRST, last=LAST, by="sku", limit=1)
    assert (found["before"], found["after"], found["change"], found["change_pct"]) == (35.0, 77.0, 42.0, 120.0)
    (row,) = found["rows"]
    assert (row["name"], row["change"], found["rows_left_out"]) == ("A", 42.0, 1)


def test_why_it_moved_adds_up_and_names_file_and_line(assistant: Assistant) -> None:
    """Hammers went from 10 to 12 euros: 6 of them make 12 euros of the change."""
    found = assistant.ask("why_kpi", kpi="net_sales", first=FIRST, last=LAST)
    assert sum(found["parts"].values()) == pytest.approx(found["change"]) == pytest.approx(42)
    assert found["parts"]["price or cost of a unit"] == pytest.approx(12)
    assert {"file": "sales/week_36.csv", "line": 7}.items() <= found["lines"][0].items()
    assert found["source"]["as_of"] == LAST


def test_lineage_ends_in_the_columns_of_files(assistant: Assistant) -> None:
    found = assistant.ask("lineage_kpi", kpi="net_sales")
    assert "inventory_curated.sales.net_amount" in {s["column"] for s in found["files"]}
    assert found["steps"]["column"] == "inventory_kpi.net_sales.value"


def test_freshness_is_against_the_contract(assistant: Assistant) -> None:
    found = assistant.ask("data_freshness")
    feeds = {f["feed"]: f for f in found["feeds"]}
    assert (feeds["sales"]["state"], feeds["sales"]["ago"]) == ("on time", "2 h ago")
    assert feeds["stock_counts"]["state"] == "nothing yet"
    assert found["facts"]["sales"] == {"from": FIRST, "to": LAST}


def test_loads_are_listed_and_explained_without_what_stands_in_them(assistant: Assistant) -> None:
    """Line, column and rule are said; neither the value nor the row."""
    assert assistant.ask("list_loads")["by_end_state"] == {"loaded": 1, "rejected": 1}
    found = assistant.ask("explain_load", file="week_36.csv")
    assert found["load"]["load_id"] == LOAD and [s["stage"] for s in found["stages"]][-1] == "kpi"
    (line,) = found["first_refused_lines"]
    assert (line["line"], line["column_name"], line["rule"]) == (10, "quantity", "quantity_type")
    assert "deux" not in json.dumps(found)
    lost = assistant.ask("explain_load", file="photo.csv")["load"]
    assert (lost["state"], lost["message"]) == ("rejected", "expected CSV, found a JPEG image")


def test_titles_sentences_and_reasons_are_told_in_french(assistant: Assistant) -> None:
    """The figures and their source are the same; a call after it speaks English again."""
    asked = {"kpi": "net_sales", "language": "fr"}
    titles = {k["kpi"]: k["title"] for k in assistant.ask("list_kpis", language="fr")["kpis"]}
    assert titles["net_sales"] == "Ventes nettes"
    assert assistant.ask("describe_kpi", **asked)["description"].startswith("Ventes du jour, retours déduits")
    found, english = assistant.ask("read_kpi", **asked), assistant.ask("read_kpi", kpi="net_sales")
    assert "77,0 €" in found["said"] and found["title"] == "Ventes nettes" and english["title"] == "Net sales"
    assert (found["value"], found["source"]) == (english["value"], english["source"])
    silent = assistant.ask("read_kpi", day="2026-09-02", where={"location_code": "PAR"}, **asked)
    assert (silent["reason"], silent["said"]) == ("no_price", "aucun prix n'est connu")
    assert assistant.ask("compare_kpi", first=FIRST, last=LAST, **asked)["title"] == "Ventes nettes"
    assert "prix ou coût unitaire" in assistant.ask("why_kpi", first=FIRST, last=LAST, **asked)["parts"]
    assert "language" in assistant.refused("read_kpi", kpi="net_sales", language="de")


@pytest.mark.parametrize(
    ("tool", "given", "said"),
    [
        ("read_kpi", {"kpi": "nett_sales"}, "no KPI 'nett_sales': there are "),
        ("read_kpi", {"kpi": "stock_daily"}, "is a base model"),
        ("read_kpi", {"kpi": "net_sales", "day": "3 September"}, "'3 September' is not a date"),
        ("read_kpi", {"kpi": "net_sales", "where": {"store": "LYO"}}, "expected one of sku, location_code, category"),
        ("read_kpi", {"kpi": "gmroi"}, "gmroi is not computed yet"),
        ("why_kpi", {"kpi": "net_sales", "first": LAST, "last": FIRST}, "expected two days"),
        ("explain_load", {"file": "nothing.csv"}, "no load of 'nothing.csv'"),
    ],
)
def test_a_mistake_is_answered_in_words(assistant: Assistant, tool: str, given: dict[str, Any], said: str) -> None:
    assert said in assistant.refused(tool, **given)


def test_without_a_stack_every_answer_says_what_to_start() -> None:
    """The server lives longer than a stack: it starts without one, and says so when it is asked."""

    def none() -> Services:
        raise CommandError("no stack runs here: start one with `stockflow up`")

    assert "stockflow up" in Assistant(none).refused("list_kpis")
    assert "mcp" in COMMANDS
