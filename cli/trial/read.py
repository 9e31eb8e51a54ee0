"""One local file taken through ingest's readers and validate's rules: nothing is sent anywhere. Pure but for the file.

What needs the warehouse is left out: earlier files of the same sender, and whether products, locations, units and
exchange rates are known.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
from pyarrow import parquet

from cli.trial.beside import compare
from cli.trial.rules import failing, unknown
from functions.ingest.readers.decode import decode
from functions.ingest.readers.layout import column_of
from functions.ingest.readers.model import Facts, Target
from functions.ingest.rejects import Rejects
from functions.ingest.route import route
from functions.ingest.staging import Staging, arrow_schema, stage
from functions.validate.frame import Clues, converter
from functions.validate.judge import judge
from functions.validate.load_rules import load_results
from functions.validate.members import in_messages, in_results
from functions.validate.model import CRITICAL, WARNING, Judgement
from functions.validate.outcome import outcome
from functions.validate.rows import pieces
from stockflow.contracts import Contract, normalise_header
from stockflow.errors import PermanentError
from stockflow.filename import days_in
from stockflow.ledger import StageRecord
from stockflow.members import Members
from stockflow.senders import Sender, contract_of, sender_of
from stockflow.settings import Settings

FIRST = 20  # refused lines that are kept
LOAD = "LOAD"  # stands for the load id in messages: there is none yet


@dataclass
class Trial:
    """What would become of a file. ``end_state``: loaded, held, rejected or ignored; ``guessed``: why this feed."""

    file: str
    object: str
    feed: str | None = None
    guessed: str | None = None
    end_state: str = "loaded"
    reason_code: str | None = None
    message: str | None = None
    lines: int = 0
    rows: int = 0
    rejects: int = 0
    refused: int = 0
    detail: dict[str, Any] = field(default_factory=dict)
    columns: list[dict[str, Any]] = field(default_factory=list)
    conventions: dict[str, Any] = field(default_factory=dict)
    rejects_by_code: list[dict[str, Any]] = field(default_factory=list)
    first_rejects: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    first_refused: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    not_tried: list[str] = field(default_factory=list)

    @property
    def passes(self) -> bool:
        """Whether the file would go on to the KPIs by itself."""
        return self.end_state == "loaded"

    def end(self, state: str, code: str | None, message: str | None) -> None:
        """Say how it would end."""
        self.end_state, self.reason_code, self.message = state, code, message


@dataclass(frozen=True)
class _Staged:
    """The rows as ingest would stage them, in a file of this machine."""

    file: BinaryIO
    count: int

    def pieces(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows in pieces."""
        self.file.seek(0)
        source = parquet.ParquetFile(self.file)
        groups = (source.read_row_group(i, columns=list(columns)) for i in range(source.num_row_groups))
        yield from pieces(group.select(columns) for group in groups)


def try_file(
    path: Path, name: str, contracts: Mapping[str, Contract], now: datetime, senders: Sequence[Sender] = ()
) -> Trial:
    """Return what would become of a file that lands as ``name`` at ``now``."""
    trial = Trial(str(path), name)
    where = route(name, contracts, path.stat().st_size)
    if where.feed is None:
        trial.end("ignored", where.reason, where.message)
        return trial
    trial.feed = where.feed
    try:
        contract = contract_of(contracts[where.feed], sender_of(name, senders))
    except PermanentError as error:
        trial.end("rejected", error.code, error.message)
        return trial
    with ExitStack() as stack:
        rejects = stack.enter_context(Rejects())
        staged = cast("BinaryIO", stack.enter_context(tempfile.TemporaryFile()))
        facts = Facts()
        try:
            rows = _read(path, Target(contract, name), facts, rejects, staged, now)
            facts.note(**compare(path, facts, rows, rejects))
        except PermanentError as error:
            trial.end("rejected", error.code, error.message)
            _note(trial, facts, rejects, contract)
            return trial
        trial.rows = rows
        _note(trial, facts, rejects, contract)
        _judge(trial, contract, _Staged(staged, rows), now)
    return trial


def _read(path: Path, target: Target, facts: Facts, rejects: Rejects, staged: BinaryIO, now: datetime) -> int:
    """Stage the rows as ingest does; return how many there are."""
    staging = Staging(arrow_schema(target.contract), LOAD, LOAD, now.date(), now)
    with path.open("rb") as stream:
        for reject in stage(decode(stream, target, facts, Settings.max_file_bytes), staging, staged):
            rejects.add(reject)
    return staging.rows


def _note(trial: Trial, facts: Facts, rejects: Rejects, contract: Contract) -> None:
    trial.detail = facts.values
    trial.rejects, trial.lines = rejects.count, trial.rows + rejects.count
    trial.columns = _columns(facts.values, Target(contract, trial.object))
    trial.rejects_by_code = [{"code": code, "lines": n} for code, n in rejects.codes.most_common()]
    batch: list[dict[str, Any]] = next(rejects.batches(), [])
    trial.first_rejects = batch[:FIRST]


def _columns(detail: Mapping[str, Any], target: Target) -> list[dict[str, Any]]:
    """Return each header with the column that it means."""
    header = list(detail.get("header") or [])
    nearest = {u["header"]: u["nearest"] for u in detail.get("unused_columns") or []}
    try:
        known = column_of(header, target)
    except PermanentError:  # keys that never stand in one record
        known = {h: c for h in header if (c := target.headers.get(normalise_header(h)))}
    aside = set(detail.get("set_aside") or ())
    stated = [
        # of the same header written twice the first one counts
        {"header": h, "column": None if h in header[:i] else known.get(h),
         "nearest": None if h in aside or h in known else nearest.get(h)}
        for i, h in enumerate(header)
    ]  # fmt: skip
    named = (detail.get("from_file_name") or {}).items()
    return stated + [{"header": None, "column": c, "from_file_name": v} for c, v in named]


def _judge(trial: Trial, contract: Contract, rows: _Staged, now: datetime) -> None:
    """Judge the rows, and say how the load would end."""
    found: list[pa.Table] = []
    members = Members.of(trial.detail)

    def keep(refused: pa.Table) -> None:
        if sum(map(len, found)) < FIRST:
            found.append(in_messages(members, refused.slice(0, FIRST)))

    clues = Clues(days_in(trial.object), delimiter=trial.detail.get("delimiter"))
    judgement, survey = judge(contract, rows, now, keep, clues, failing)
    in_results(members, judgement)
    judgement.results += load_results(contract, judgement, survey.filled)
    trial.refused, trial.not_tried = judgement.refused, unknown(contract)
    trial.first_refused = [_shown(v) for table in found for v in table.to_pylist()][:FIRST]
    _describe(trial, judgement)
    _examples(trial, contract, rows, judgement)
    end = outcome(contract, _record(trial, now), judgement, None)
    if end.state != "validated":
        trial.end(end.state, end.reason_code, end.message)


def _shown(verdict: dict[str, Any]) -> dict[str, Any]:
    names = ("line", "column_name", "value", "rule", "expected", "message", "original_row")
    return {name: verdict[name] for name in names}


def _describe(trial: Trial, judgement: Judgement) -> None:
    formats = judgement.formats
    trial.conventions = {
        "decimal_mark": formats.decimal_mark,
        "date_order": formats.date_order,
        "time_zone": formats.time_zone,
        "decided_by": dict(formats.decided_by),
        "doubts": [str(d) for d in formats.doubts],
        "unproved": formats.unproved,
        "contradictions": list(formats.contradictions)[:FIRST],
    }
    for severity, kept in ((CRITICAL, trial.rules), (WARNING, trial.warnings)):
        kept += [
            {"rule": r.check.rule, "column_name": r.check.column, "rows": r.failed, "expected": r.check.expected,
             "first_line": r.examples[0].line if r.examples else None}
            for r in judgement.results if r.failed and r.check.severity == severity
        ]  # fmt: skip
        kept.sort(key=lambda rule: -rule["rows"])


def _examples(trial: Trial, contract: Contract, rows: _Staged, judgement: Judgement) -> None:
    """Add to each column its first value as written and as it is understood."""
    names = [c["column"] for c in trial.columns if c["column"]]
    batch = next(rows.pieces(names), None) if names else None
    if batch is None:
        return
    for column in trial.columns:
        if (name := column["column"]) is None:
            continue
        text = next((t for t in batch.column(name).slice(0, 1000).to_pylist() if t and t.strip()), None)
        value = None if text is None else converter(contract.column(name), judgement.formats)(text)
        column |= {"example": text, "read_as": None if value is None else _plain(value)}


def _plain(value: Any) -> str:
    """Return a value as people write it: no trailing zeros."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _record(trial: Trial, now: datetime) -> StageRecord:
    return StageRecord(LOAD, trial.feed, "ingest", "loaded", "", now, now, object=trial.object, rejects=trial.rejects)
