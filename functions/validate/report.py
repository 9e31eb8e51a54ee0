"""A page per load that a person can open: what was checked, what failed, which lines. Self-contained."""

from pathlib import Path
from typing import Any

from jinja2 import Environment

from functions.validate.model import EXAMPLES, Judgement, Result
from stockflow.contracts import MASK, Contract
from stockflow.ledger import StageRecord

_TEMPLATE = Path(__file__).resolve().parent / "report.html.j2"


def report(record: StageRecord, contract: Contract, judgement: Judgement) -> str:
    """Return the page; values of personal columns are masked, everything is escaped."""
    personal = {c.name for c in contract.columns if c.pii}
    template = Environment(autoescape=True).from_string(_TEMPLATE.read_text(encoding="utf-8"))
    failing = [r for r in judgement.results if not r.success]
    passing = [r for r in judgement.results if r.success]
    order = {"load": 0, "critical": 1, "warning": 2}
    return template.render(
        record=record,
        contract=contract,
        rows=judgement.rows,
        good=judgement.rows - judgement.refused,
        failing=[_section(r, personal) for r in sorted(failing, key=lambda r: order[r.check.severity])],
        passing=passing,
        examples=EXAMPLES,
    )


def _section(result: Result, personal: set[str]) -> dict[str, Any]:
    shown = [
        {"line": v.line, "member": v.member, "column": v.column, "expected": v.expected,
         "value": MASK if v.column in personal and v.value else v.value}
        for v in result.examples
    ]  # fmt: skip
    rate = 1 - result.failed / result.checked if result.checked else 0.0
    return {"result": result, "verdicts": shown, "more": max(result.failed - len(result.examples), 0), "rate": rate}
