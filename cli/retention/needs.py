"""What the project needs of what is kept, and what of it contradicts itself."""

import json
from functools import cache
from pathlib import Path

from cli.contract.check import Fault
from cli.output import CommandError
from cli.retention.contradictions import Lookbacks, Needs, contradictions
from stockflow.contracts import load_contracts
from stockflow.schema import pipeline


def contradictions_of(root: Path) -> list[str]:
    """Return what contradicts itself in ``pipeline.yaml`` and ``contracts/`` of a folder."""
    said = pipeline(root / "pipeline.yaml")
    needs = Needs(int(said["subscription_defaults"]["retention_days"]), lookbacks(root))
    return contradictions(said["retention"], load_contracts(root / "contracts"), needs)


def refuse_contradictions(root: Path) -> None:
    """Do nothing where all fits.

    Raises:
        CommandError: what contradicts itself.
    """
    if found := contradictions_of(root):
        said = "\n  ".join(found)
        raise CommandError(f"retention contradicts itself (`stockflow retention` shows all of it):\n  {said}")


@cache
def lookbacks(root: Path) -> Lookbacks:
    """Return feed -> how many days a KPI looks back at it at most, and which (``python -m functions.kpi.pages``)."""
    found: Lookbacks = json.loads((root / "warehouse" / "kpi_lookbacks.json").read_text(encoding="utf-8"))
    return found


def kept_faults(root: Path) -> list[Fault]:
    """Return the same with the line where the file begins to say how long it keeps something."""
    named = [text.partition(": ")[::2] for text in contradictions_of(root)]
    return [Fault(str(root / name), _line(root / name), message) for name, message in named]


def _line(path: Path) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((n for n, line in enumerate(lines, 1) if line.startswith("retention:") or "property: keep" in line), 1)
