"""The tools that an assistant is given. Every one of them reads; none writes, publishes or replays."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from cli.mcp import answers, loads
from cli.output import CommandError, plain
from cli.texts import speaking
from stockflow.errors import StockflowError
from stockflow.services import Services

INSTRUCTIONS = """\
Stockflow's inventory KPIs, as their owners define them. Use these numbers as they are given:
- Say with each number its day and its source (table, definition version, as of), which every answer holds.
- Never average or add figures yourself: ask again with `where` or `by`, and the figure is rolled up as it is defined.
- A value that is null has a reason. Say the reason; it is not 0.
- Ask in the reader's language where there is a `language`; codes and formulas stay as they are.
- `list_kpis` says what there is; `why_kpi` says why a number moved; `explain_load` what happened to a file.
"""
_READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
Kpi = Annotated[str, Field(description="Name of the KPI, as `list_kpis` gives it, such as days_of_supply.")]
Day = Annotated[str, Field(description="A day such as 2026-09-30; the newest one that is known if left out.")]
First = Annotated[str, Field(description="The first day, such as 2026-09-01.")]
Last = Annotated[str, Field(description="The day to end with, such as 2026-09-30.")]
Where = Annotated[
    dict[str, str | list[str]] | None,
    Field(description='Only this part: a column of `split_by` and its values, such as {"location_code": ["P1"]}.'),
]
By = Annotated[str, Field(description="Also broken down by this column of `split_by`, largest first.")]
Language = Annotated[Literal["en", "fr"], Field(description="Language of titles, sentences and reasons.")]
Limit = Annotated[int, Field(description="How many rows at most.", ge=1, le=200)]


def server(services: Callable[[], Services]) -> MCPServer[Any]:
    """Return the server; ``services`` is asked at each call, so a stack may be started after it."""
    made: MCPServer[Any] = MCPServer(
        "stockflow", title="Stockflow KPIs", instructions=INSTRUCTIONS, log_level="WARNING"
    )
    tools = _Tools(services)
    for tool in (
        *(tools.list_kpis, tools.describe_kpi, tools.read_kpi, tools.read_series, tools.compare_kpi, tools.why_kpi),
        *(tools.lineage_kpi, tools.data_freshness, tools.list_loads, tools.explain_load),
    ):
        made.add_tool(tool, annotations=_READS)
    return made


class _Tools:
    """The tools. What a person can put right is said in words; anything else is the server's own fault."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    def list_kpis(self, language: Language = "en") -> dict[str, Any]:
        """List every KPI: title, meaning, formula, unit, which direction is better, how it can be split."""
        return self._said(answers.list_kpis, language=language)

    def describe_kpi(self, kpi: Kpi, language: Language = "en") -> dict[str, Any]:
        """Give one KPI's whole definition: formula and its source, owner, thresholds, SQL, worked examples."""
        return self._said(answers.describe_kpi, kpi, language=language)

    def read_kpi(
        self, kpi: Kpi, day: Day = "", where: Where = None, by: By = "", limit: Limit = 20, language: Language = "en"
    ) -> dict[str, Any]:
        """Read a KPI on one day, of all or of a part of the business, and broken down by one column."""
        return self._said(answers.read_kpi, kpi, day, where, by, limit, language=language)

    def read_series(
        self, kpi: Kpi, first: First, last: Last, where: Where = None, language: Language = "en"
    ) -> dict[str, Any]:
        """Read a KPI on each day of a period."""
        return self._said(answers.read_series, kpi, first, last, where, language=language)

    def compare_kpi(
        self,
        kpi: Kpi,
        first: First,
        last: Last,
        where: Where = None,
        by: By = "",
        limit: Limit = 20,
        language: Language = "en",
    ) -> dict[str, Any]:
        """Compare a KPI on two days, in all and by one column, largest change first."""
        return self._said(answers.compare_kpi, kpi, first, last, where, by, limit, language=language)

    def why_kpi(
        self,
        kpi: Kpi,
        first: First,
        last: Last,
        known_at: Annotated[
            str, Field(description="Begin with what was known of the first day at this time (UTC), 2026-09-02T08:00.")
        ] = "",
        limit: Limit = 10,
        language: Language = "en",
    ) -> dict[str, Any]:
        """Say why a KPI moved between two days: parts that add up to the change, then cells, files and lines."""
        return self._said(answers.why_kpi, kpi, first, last, known_at, limit, language=language)

    def lineage_kpi(
        self, kpi: Kpi, column: Annotated[str, Field(description="The column to follow.")] = "value"
    ) -> dict[str, Any]:
        """Say which columns of which files a KPI is computed from, and the steps in between."""
        return self._said(answers.lineage_of, kpi, column)

    def data_freshness(self) -> dict[str, Any]:
        """Say when each feed last brought rows, whether it is late, and up to which day facts are known."""
        return self._said(answers.data_freshness)

    def list_loads(
        self,
        feed: Annotated[str, Field(description="Only this feed, such as sales.")] = "",
        state: Annotated[str, Field(description="Only this state, such as rejected, held or failed.")] = "",
        limit: Limit = 20,
    ) -> dict[str, Any]:
        """List the newest files, how each ended and its counts of rows, rejects and quarantined rows."""
        return self._said(loads.list_loads, feed, state, limit)

    def explain_load(
        self, file: Annotated[str, Field(description="A load id, an object, or the name of a file.")]
    ) -> dict[str, Any]:
        """Explain what happened to a file: each stage, refused lines by rule, where the first of them stand."""
        return self._said(loads.explain_load, file)

    def _said(self, question: Callable[..., dict[str, Any]], *given: Any, language: str = "en") -> dict[str, Any]:
        try:
            with speaking(language):
                answered: dict[str, Any] = _plain(question(self._services(), *given))
        except (CommandError, StockflowError) as error:
            raise ToolError(str(error)) from error
        return answered


def _plain(value: Any) -> Any:
    """Return an answer as JSON holds it."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return plain(value)
