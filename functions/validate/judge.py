"""Runs the suite on typed batches and turns what Great Expectations answers into verdicts."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import compute as pc

from functions.validate import expectations, jumps
from functions.validate.frame import Clues, Typer, broken, marks
from functions.validate.model import CRITICAL, EXAMPLES, Check, Extent, Judgement, Result, Verdict
from functions.validate.refused import Places, refusals, with_originals
from functions.validate.rows import EXTRA, LINE, ROW, Rows, complete
from functions.validate.suite import UNIQUE, compared, marker, own_rules, row_checks
from functions.validate.survey import Survey
from functions.validate.texts import Mask
from stockflow.contracts import Contract

Refuse = Callable[[pa.Table], None]
Failing = Callable[[Contract, pd.DataFrame], dict[str, Places]]


def judge(
    contract: Contract,
    rows: Rows,
    landed_at: datetime,
    refuse: Refuse,
    clues: Clues | None = None,
    failing: Failing = expectations.failing,
) -> tuple[Judgement, Survey]:
    """Judge a load's rows, in two passes and bounded memory; ``refuse`` is given the verdicts
    that refuse rows, as they come (see ``refused.SCHEMA``). ``clues`` say what its values do not.
    ``failing`` finds the rows that break each rule.

    Raises:
        TransientError: when not all rows can be read.
    """
    stated = [c.name for c in contract.stated]
    survey = Survey.of(contract, rows.pieces(stated), clues)
    complete(rows, survey.rows)
    bench = Bench(contract, survey, landed_at, failing)
    for batch in rows.pieces([ROW, LINE, *stated, EXTRA]):
        refuse(bench.judge(batch))
    complete(rows, bench.judgement.rows)
    return bench.judgement, survey


class Bench:
    """Judges the batches of one load, one after the other."""

    def __init__(
        self, contract: Contract, survey: Survey, landed_at: datetime, failing: Failing = expectations.failing
    ) -> None:
        self._failing = failing
        self._contract, self._landed_at, self._repeated = contract, landed_at, survey.repeated()
        self._checks = row_checks(contract)
        self._dated = contract.business_date if contract.business_date in {c.name for c in contract.stated} else None
        wanted = compared(contract, self._checks) | ({self._dated} if self._dated else set())
        self._typer = Typer(contract, survey.formats, wanted)
        extent = Extent(survey.locations, len(survey.codes))
        self.judgement = Judgement(survey.formats, results=[Result(c) for c in self._checks], extent=extent)

    def judge(self, batch: pa.RecordBatch) -> pa.Table:
        """Judge a batch; return the verdicts that refuse rows, each with the row as it was written."""
        frame = self.frame(batch)
        found = self._failing(self._contract, frame)
        refused: list[tuple[Check, Places]] = []
        for result in self.judgement.results:
            places = found[result.check.rule]
            result.checked += batch.num_rows
            if len(places):
                _count(result, places, batch)
                if result.check.severity == CRITICAL:
                    refused.append((result.check, places))
        self.judgement.rows += batch.num_rows
        table = with_originals(refused, batch)
        self.judgement.refused += len(pc.unique(table["row"]))
        if jumps.limit(self._contract) is not None:
            good = pc.invert(pc.is_in(batch.column(ROW), pc.unique(table["row"])))
            jumps.add(self.judgement.rates, frame, good.to_numpy(zero_copy_only=False), self._contract)
        return table

    def frame(self, batch: pa.RecordBatch) -> pd.DataFrame:
        """Return the typed batch with the marks of our own rules."""
        frame = self._typer.frame(batch)
        for rule in own_rules(self._contract):
            frame[marker(rule.id)] = marks(self._wrong(rule, frame))
        if self._dated:
            self._extend(frame[self._dated])
        return frame

    def _wrong(self, rule: Any, frame: pd.DataFrame) -> Mask:
        if rule.expectation == UNIQUE:
            start = self.judgement.rows
            return self._repeated[rule.id][start : start + len(frame)]
        return broken(rule, frame, self._landed_at)

    def _extend(self, days: "pd.Series[Any]") -> None:
        """Note the first and the last business date."""
        known, before = days.dropna(), self.judgement.extent
        if len(known):
            low, high = (d.date().isoformat() for d in (known.min(), known.max()))
            first, last = min(low, before.first_date or low), max(high, before.last_date or high)
            self.judgement.extent = Extent(before.locations, before.location_count, first, last)


def _count(result: Result, places: Places, batch: pa.RecordBatch) -> None:
    """Add what fails to a result, and keep the first verdicts as examples."""
    result.failed += len(places)
    room = EXAMPLES - len(result.examples)
    if room > 0:
        result.examples += verdicts(result.check, places[:room], batch)
    first = result.examples[0]
    result.observed = f"{result.failed} of {result.checked} rows, first in line {first.line}"


def verdicts(check: Check, places: Places, batch: pa.RecordBatch) -> Iterator[Verdict]:
    """Yield the verdicts of a check on the rows at these places of a batch."""
    for found in refusals(check, places, batch).to_pylist():
        column = found.pop("column_name")
        yield Verdict(**found, column=column)
