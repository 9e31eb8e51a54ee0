"""Services whose warehouse writes down what it is asked and answers from a list: statements as the code builds them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from types import SimpleNamespace
from typing import Any

from cli.googlesql.catalogue import kind
from stockflow.contracts import Contract, load_contracts
from stockflow.gcp.warehouse import _parameter
from stockflow.services import Services
from stockflow.settings import Settings, bundle_root

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
SANDBOX = "sandbox_0_"  # prefix of copies of the datasets: they have the columns of what they copy
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Statement:
    """A script that reaches BigQuery: where it comes from, its text, its parameters' types."""

    source: str
    sql: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parameter_types(params: Mapping[str, Any] | None) -> dict[str, str]:
    """Return name -> type, as the warehouse's client would send them."""
    sent = {name: _parameter(name, value).to_api_repr()["parameterType"] for name, value in (params or {}).items()}
    return {name: f"ARRAY<{t['arrayType']['type']}>" if t["type"] == "ARRAY" else t["type"] for name, t in sent.items()}


class Recorder:
    """In the place of a warehouse. ``answers`` is pattern -> rows; what matches none is answered by no rows."""

    def __init__(self, settings: Settings, source: str, answers: Mapping[str, Rows]) -> None:
        self._settings, self._source, self._answers = settings, source, answers
        self.statements: list[Statement] = []
        self.client = SimpleNamespace(list_tables=lambda _dataset: [])

    def query(
        self, sql: str, params: Mapping[str, Any] | None = None, job_id: str | None = None
    ) -> list[dict[str, Any]]:
        """Write a script down."""
        text = self._settings.sql(sql).replace(SANDBOX, "")
        self.statements.append(Statement(self._source, text, parameter_types(params)))
        found = next((rows for pattern, rows in self._answers.items() if re.search(pattern, sql, re.DOTALL)), ())
        return [dict(row) for row in found]

    def pages(
        self, sql: str, params: Mapping[str, Any] | None = None, page_size: int = 0
    ) -> Iterator[list[dict[str, Any]]]:
        """Write a script down; its rows are one page."""
        yield self.query(sql, params)

    def arrow(self, sql: str, params: Mapping[str, Any] | None = None) -> Any:
        """Write a script down; its rows are an Arrow table without columns."""
        import pyarrow as pa

        return pa.Table.from_pylist(self.query(sql, params))

    def __getattr__(self, name: str) -> Any:
        """Anything else that a warehouse can do needs no SQL."""
        return lambda *_args, **_named: None


@cache
def _contracts() -> dict[str, Contract]:
    return load_contracts(bundle_root() / "contracts")


class RecordedServices(Services):
    """Services on a recorder: no emulator, no object store, no publisher."""

    def __init__(self, source: str, answers: Mapping[str, Rows] | None = None, prefix: str = "") -> None:
        root = bundle_root()
        settings = Settings(
            "recorded", dataset_prefix=prefix, landing_bucket="landing", contracts_dir=root / "contracts",
            definitions_uri=str(root / "functions" / "kpi" / "definitions"),
        )  # fmt: skip
        super().__init__(settings, lambda: NOW)
        self._source, self._answers = source, answers or {}

    @property
    def contracts(self) -> dict[str, Contract]:  # type: ignore[override]
        return _contracts()

    @cached_property
    def warehouse(self) -> Any:
        return Recorder(self.settings, self._source, self._answers)

    @cached_property
    def object_store(self) -> Any:
        return SimpleNamespace(list=lambda *_args, **_named: [])

    @cached_property
    def publisher(self) -> Any:
        return SimpleNamespace(publish=lambda *_: "", publish_all=lambda *_: [])

    @property
    def statements(self) -> list[Statement]:
        """What was asked so far."""
        found: list[Statement] = self.warehouse.statements
        return found


def typed_parameters(statement: Statement) -> dict[str, Any]:
    """Return the analyzer's types of a statement's parameters."""
    return {name: kind(text) for name, text in statement.parameters.items()}
