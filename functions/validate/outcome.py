"""From what was found to how the load ends: let through, rejected, or held until a person decides. Pure."""

from dataclasses import dataclass
from typing import Any

from functions.validate import jumps
from functions.validate.model import CONTROL_COUNTS, COUNTS, CRITICAL, Judgement, Result
from stockflow.contracts import Contract
from stockflow.ledger import StageRecord
from stockflow.values import Doubt
from stockflow.values.formats import CONTRACT, ORDER

MOST_SHARE = 0.2  # of refused rows, unless the contract says `maxRefusedShare`
FEW_ROWS = 10  # so many may be refused of any file that has good ones, too
TOO_MANY = "too_many_refused_rows"
AMBIGUOUS = "ambiguous_date_order"
JUMPED = "exchange_rate_jump"
COUNTED_OTHERWISE = "trailer_counts_otherwise"
STATED_OTHERWISE = "control_counts_otherwise"
_FIRST = {"dmy": "day", "mdy": "month"}


@dataclass(frozen=True)
class Outcome:
    """A state of validate, and why."""

    state: str
    reason_code: str | None = None
    message: str | None = None


def outcome(contract: Contract, ingested: StageRecord, judgement: Judgement, decided: dict[str, Any] | None) -> Outcome:
    """Return how a load ends. What a person decided about it (``decided``) stands when it is judged again."""
    if decided:
        return Outcome(decided["state"], decided.get("reason_code"), decided.get("message"))
    if broken := judgement.broken_load_rules:
        return Outcome("rejected", broken[0].check.rule, _why(broken))
    if found := _in_doubt(contract, ingested, judgement):
        return found
    refused, lines = judgement.refused + (ingested.rejects or 0), judgement.rows + (ingested.rejects or 0)
    limit = float(contract.properties.get("maxRefusedShare", MOST_SHARE))
    if refused and (refused == lines or (refused > FEW_ROWS and refused > limit * lines)):
        return Outcome("held", TOO_MANY, _too_many(ingested, judgement, refused, lines, limit))
    return Outcome("validated")


def _in_doubt(contract: Contract, ingested: StageRecord, judgement: Judgement) -> Outcome | None:
    """Return why a load is held that could be read two ways, or is unlike the ones before it."""
    if doubt := _undecided(contract, judgement):
        return Outcome("held", AMBIGUOUS, _two_ways(ingested, doubt))
    if told := _counted_otherwise(ingested, judgement):
        return Outcome("held", COUNTED_OTHERWISE, told)
    if told := _stated_otherwise(ingested, judgement):
        return Outcome("held", STATED_OTHERWISE, told)
    most = jumps.limit(contract)
    if most and (found := jumps.jumps(judgement.rates, judgement.known_rates, most)):
        return Outcome("held", JUMPED, jumps.said(found, most, ingested.load_id))
    return None


def _undecided(contract: Contract, judgement: Judgement) -> Doubt | None:
    """The dates that nothing but the contract's default orders, unless it says that it is certain."""
    if contract.properties.get("dateOrderCertain"):
        return None
    return next((d for d in judgement.formats.doubts if d.what == ORDER and d.decided_by == CONTRACT), None)


def _two_ways(ingested: StageRecord, doubt: Doubt) -> str:
    shown = ", ".join(f"{text} is {one} or {other}" for text, one, other in doubt.examples)
    load = ingested.load_id
    return (
        f"{doubt.count:,} dates could be read two ways ({shown}), and no other date, the file's name or an earlier "
        f"file says which. Nothing of the file counts yet. `stockflow loads release {load}` reads them with the "
        f"{_FIRST[doubt.chosen]} first, `stockflow loads reject {load} --reason TEXT` rejects the file; "
        "`dateOrderCertain` in the contract decides for all files"
    )


def _counted_otherwise(ingested: StageRecord, judgement: Judgement) -> str:
    """Return what to say when the last line fits only if it counts what those of earlier files did not."""
    counts, before = ingested.detail.get(COUNTS), judgement.counted_before
    if not counts or before in ("", counts):
        return ""
    said = f"the last line says {ingested.detail['trailer_count']:,}"
    return _may_be_cut(f"{said}: right if it counts {counts}, but those of earlier files counted {before}", ingested)


def _stated_otherwise(ingested: StageRecord, judgement: Judgement) -> str:
    """Return what to say when a control file fits only if it counts what those of earlier files did not."""
    detail, before = ingested.detail, judgement.stated_before
    counts = detail.get(CONTROL_COUNTS) or ()
    if not counts or not before or not {*before}.isdisjoint(counts):
        return ""
    said = f"the control file {detail['control_file']} says {detail['control_count']:,}: right if it counts"
    others = f"those of earlier files counted {' or '.join(before)}"
    return _may_be_cut(f"{said} {' or '.join(counts)}, but {others}", ingested)


def _may_be_cut(said: str, ingested: StageRecord) -> str:
    load = ingested.load_id
    return (
        f"{said}, so records may be missing. Nothing of the file counts yet. Send it again if it is not whole; "
        f"`stockflow loads release {load}` takes it as it is, and `stockflow loads reject {load} --reason TEXT` "
        "rejects it"
    )


def _why(broken: list[Result]) -> str:
    return "; ".join(f"{r.observed} (expected {r.check.expected}). {r.check.message}" for r in broken)


def _too_many(ingested: StageRecord, judgement: Judgement, refused: int, lines: int, limit: float) -> str:
    counts = {r.check.rule: r.failed for r in judgement.results if r.check.severity == CRITICAL and r.failed}
    if ingested.rejects:
        counts["not readable"] = ingested.rejects
    by_rule = ", ".join(f"{rule} {n:,}" for rule, n in sorted(counts.items(), key=lambda c: (-c[1], c[0])))
    return (
        f"{refused:,} of {lines:,} rows are refused, more than {limit:.0%}: {by_rule}. Nothing of the file counts yet. "
        f"`stockflow loads release {ingested.load_id}` lets the good rows through, `stockflow loads reject "
        f"{ingested.load_id} --reason TEXT` rejects the file"
    )
