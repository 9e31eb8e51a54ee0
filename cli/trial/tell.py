"""A trial in words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.output import console, print_table
from cli.trial.read import Trial
from cli.wording import ending
from functions.ingest.receipts.described import described, doubts

_ENDS = {"loaded": "green", "held": "yellow", "rejected": "red", "ignored": "yellow"}
_ORDERS = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}
_MARKS = {",": "decimal comma", ".": "decimal point"}


def tell(trial: Trial) -> None:
    """Print a trial."""
    out = console()
    out.print(trial.object, style="bold", markup=False)
    if trial.guessed:
        out.print(f"the feed is a guess: {trial.guessed}", markup=False)
    out.print(_end(trial), style=_ENDS[trial.end_state], markup=False)
    for line in [*described(trial.detail), *_conventions(trial)]:
        out.print(line, markup=False)
    if trial.columns:
        names = ["header", "column", "nearest", "example", "read_as", "from_file_name"]
        _table("Columns", trial.columns, [n for n in names if any(c.get(n) for c in trial.columns)])
    _lines(trial)
    _rows(trial)
    if trial.warnings:
        _table("Warnings", trial.warnings, ["rule", "column_name", "rows", "first_line", "expected"])
    if trial.not_tried:
        out.print(f"not tried here: {', '.join(trial.not_tried)}", markup=False)


def _end(trial: Trial) -> str:
    """Return how the file would end, and with how many rows."""
    if trial.reason_code:
        return f"would be {ending(trial.end_state, trial.reason_code, trial.message)}"
    end = f"would be loaded: {trial.rows - trial.refused:,} of {trial.lines:,} rows"
    end += f"; lines that cannot be read: {trial.rejects:,}" if trial.rejects else ""
    return end + (f"; rows that break a rule: {trial.refused:,}" if trial.refused else "")


def _conventions(trial: Trial) -> Iterator[str]:
    if not (found := trial.conventions):
        return
    by = found["decided_by"]
    mark, order = _MARKS[found["decimal_mark"]], _ORDERS[found["date_order"]]
    yield f"numbers: {mark} ({by['decimal mark']}); dates: {order} ({by['date order']}); times: {found['time_zone']}"
    yield from doubts(found["unproved"])
    yield from (d for d in found["doubts"] if d not in found["unproved"])
    yield from found["contradictions"]


def _lines(trial: Trial) -> None:
    if trial.first_rejects:
        _table("Lines that cannot be read", trial.rejects_by_code, ["code", "lines"])
        columns = ["line", "code", "found", "expected", "message", "original_text"]
        _table(_first(len(trial.first_rejects), trial.rejects), trial.first_rejects, columns)


def _rows(trial: Trial) -> None:
    if trial.first_refused:
        columns = ["rule", "column_name", "rows", "first_line", "expected"]
        _table("Rows that break a rule", trial.rules, columns)
        columns = ["line", "column_name", "value", "rule", "message"]
        _table(_first(len(trial.first_refused), sum(r["rows"] for r in trial.rules)), trial.first_refused, columns)


def _first(shown: int, total: int) -> str:
    return f"The first {shown} of {total:,}" if shown < total else "Each of them"


def _table(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print a table below its title, which is not cut to the table's width."""
    console().print(f"\n{title}", style="italic")
    print_table(rows, columns)
