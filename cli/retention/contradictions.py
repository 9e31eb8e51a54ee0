"""Which numbers of ``retention`` and contracts contradict each other, as ``terraform/retention.tf`` says it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.retention.override import AGAIN, COMPARED, YEAR, Override
from cli.retention.pairs import broken
from stockflow.contracts import Contract
from stockflow.retention import WITHOUT_LIMIT, Days

DELIVERED = ("landing", "staging", "raw", "quarantine", "rejects", "ledger")
Lookbacks = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Needs:
    """What is kept is needed for: days in which events are delivered again, and how far KPIs look back at a feed."""

    events_days: int
    lookbacks: Lookbacks


def contradictions(days: Days, contracts: Mapping[str, Contract], needs: Needs) -> list[str]:
    """Return what is kept shorter than something that needs it, and what is said without effect."""
    found = [*_too_short(days, needs), *broken(days, "pipeline.yaml")]
    for feed, contract in contracts.items():
        its = Override(f"contracts/{feed}.yaml", contract, days)
        found += [*its.unreadable(), *its.too_short(needs.events_days), *its.without_effect(), *its.pairs()]
        found += its.looked_back_at(needs.lookbacks.get(feed))
    return found


def _too_short(days: Days, needs: Needs) -> Iterator[str]:
    for kind, least, why in [*((k, needs.events_days, AGAIN) for k in DELIVERED), ("curated", YEAR, COMPARED)]:
        if days[kind] != WITHOUT_LIMIT and days[kind] < least:
            yield f"pipeline.yaml: {kind} is kept {days[kind]} days; expected at least {least} (or 0): {why}"
    if definitions := days["definitions"]:
        why = "a KPI without its definition is not computed any more"
        yield f"pipeline.yaml: definitions is kept {definitions} days; expected 0: {why}"
