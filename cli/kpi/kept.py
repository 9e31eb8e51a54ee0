"""A KPI that looks back at what is no longer kept: its days could not be computed as a whole."""

from collections.abc import Iterator, Mapping

from cli.kpi.fault import Fault
from functions.kpi.definition import Definition
from functions.kpi.graph import reads
from functions.kpi.refresh import without_horizons
from stockflow.contracts import load_contracts
from stockflow.retention import limited
from stockflow.schema import pipeline
from stockflow.settings import bundle_root


def beyond_what_is_kept(definition: Definition, text: str, views: Mapping[str, str]) -> Iterator[Fault]:
    """Yield each feed at which it looks back as far as its facts are kept, or farther."""
    ends = limited("curated", pipeline()["retention"], load_contracts(bundle_root() / "contracts"))
    read = reads({definition.name: definition}, without_horizons(views))
    for feed, days in sorted(ends.items()):
        table = f"inventory_curated.{feed}"
        if table in read[definition.name] and definition.lookback(table) >= days:
            back = f"looks back {definition.lookback(table)} days at {feed}, whose facts are kept {days} days"
            words = f"{back}: expected fewer, or facts that are kept longer (`stockflow retention`)"
            yield Fault(f"{definition.name}.sql", _line(text), 0, words)


def _line(text: str) -> int:
    lines = text.splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.startswith("lookback_days")), 1)
