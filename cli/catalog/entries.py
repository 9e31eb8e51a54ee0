"""What the catalogue is told of each table: requests that put an aspect on its entry. Pure.

BigQuery's tables have entries by themselves; what they mean stands in contracts and KPI headers. The types of the
aspects are Terraform's (``terraform/schemas``).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from functions.kpi.definition import Definition
from stockflow.contracts import Contract
from stockflow.settings import Settings

Request = dict[str, Any]


@dataclass(frozen=True)
class Catalogue:
    """One environment's place in the catalogue. ``number``: the project's, which names of types and entries want."""

    settings: Settings
    number: str

    def requests(self, contracts: Mapping[str, Contract], definitions: Mapping[str, Definition]) -> Iterator[Request]:
        """Yield an ``UpdateEntryRequest`` for each table of a feed and of a KPI."""
        for feed, contract in sorted(contracts.items()):
            for layer, table in (("raw", feed), ("curated", feed), ("curated", f"{feed}_history")):
                yield self._request(layer, table, "stockflow-contract", of_contract(contract))
        for name, definition in sorted(definitions.items()):
            yield self._request("kpi", name, "stockflow-kpi", of_definition(definition))

    def of_quality(self, scores: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[Request]:
        """Yield an ``UpdateEntryRequest`` for each feed, of how good and fresh it is, on its curated table."""
        for feed, data in scores:
            yield self._request("curated", feed, "stockflow-quality", data)

    def _request(self, layer: str, table: str, aspect: str, data: Mapping[str, Any]) -> Request:
        key = f"{self.number}.{self.settings.location}.{aspect}"
        return {
            "entry": {"name": self._entry(layer, table), "aspects": {key: {"data": dict(data)}}},
            "update_mask": "aspects",
            "aspect_keys": [key],
        }

    def _entry(self, layer: str, table: str) -> str:
        group = f"projects/{self.number}/locations/{self.settings.location}/entryGroups/@bigquery"
        dataset = f"projects/{self.settings.project}/datasets/{self.settings.dataset(layer)}"
        return f"{group}/entries/bigquery.googleapis.com/{dataset}/tables/{table}"


def of_contract(contract: Contract) -> dict[str, Any]:
    """Return the data of aspect type ``stockflow-contract``."""
    hours = contract.fresh_within.total_seconds() / 3600 if contract.fresh_within else None
    found = {"owner": contract.owner, "version": contract.version, "freshness_hours": hours}
    return {name: value for name, value in found.items() if value is not None}


def of_definition(definition: Definition) -> dict[str, Any]:
    """Return the data of aspect type ``stockflow-kpi``; what a base model does not have is left out."""
    found = {
        "owner": definition.owner, "title": definition.title, "description": definition.description,
        "formula": definition.formula, "source": definition.source, "unit": definition.unit,
        "direction": definition.direction, "grain": ", ".join(definition.grain),
        "lookback_days": definition.lookback_days, "version": definition.version,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value not in ("", None)}
