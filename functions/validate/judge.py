"""Runs the suite on typed batches and turns what Great Expectations answers into verdicts."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pandas as pd

from functions.validate.frame import LINE, broken, repeated, typed
from functions.validate.model import Check, Judgement, Result, Verdict
from functions.validate.suite import row_checks, shadow, shadowed_rules, suite
from functions.validate.warm import import_great_expectations
from stockflow.contracts import Contract
from stockflow.values import Formats

CHUNK_ROWS = 100_000
_FORMAT = {"result_format": "COMPLETE", "unexpected_index_column_names": [LINE], "return_unexpected_index_query": False}


def judge(contract: Contract, raw: pd.DataFrame, formats: Formats, landed_at: datetime) -> Judgement:
    """Return the judgement of a load's rows; ``raw`` has ``_line`` and each stated column as text."""
    checks = row_checks(contract)
    judgement = Judgement(len(raw), [Result(check) for check in checks])
    twice = {
        rule.id: repeated(raw, rule.kwargs["column_list"])
        for rule in shadowed_rules(contract)
        if rule.expectation == "expect_compound_columns_to_be_unique"
    }
    for chunk in _chunks(raw):
        frame = typed(contract, chunk, formats)
        for rule in shadowed_rules(contract):
            frame[shadow(rule.id)] = (
                frame[LINE].where(frame[LINE].isin(twice[rule.id])).astype(object)
                if rule.id in twice
                else broken(rule, frame, landed_at)
            )
        _run(contract.feed, checks, frame, chunk, judgement)
    judgement.verdicts.sort(key=lambda v: (v.line, v.rule))
    return judgement


def _chunks(raw: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for start in range(0, len(raw), CHUNK_ROWS):
        yield raw.iloc[start : start + CHUNK_ROWS].reset_index(drop=True)


def _run(feed: str, checks: list[Check], frame: pd.DataFrame, raw: pd.DataFrame, judgement: Judgement) -> None:
    gx = import_great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("loads").add_dataframe_asset(feed)
    batch = asset.add_batch_definition_whole_dataframe("load").get_batch({"dataframe": frame})
    outcome = batch.validate(suite(feed, checks), result_format=_FORMAT)
    by_rule = {r.expectation_config.meta["rule"]: r for r in outcome.results}
    originals = raw.set_index(LINE)
    for result in judgement.results:
        _collect(result, by_rule[result.check.rule], len(frame), originals, judgement)


def _collect(result: Result, found: Any, rows: int, originals: pd.DataFrame, judgement: Judgement) -> None:
    if found.exception_info.get("raised_exception"):
        raise RuntimeError(f"{result.check.rule}: {found.exception_info.get('exception_message')}")
    lines = sorted({int(i[LINE]) for i in found.result.get("unexpected_index_list") or []})
    result.checked += rows
    result.failed += len(lines)
    check = result.check
    for line in lines:
        value: Any = None if check.column is None else originals.at[line, check.column]
        text = None if value is None or pd.isna(value) else str(value)
        judgement.verdicts.append(
            Verdict(line, check.rule, check.column, text, check.expected, check.message, check.severity)
        )
    if judgement.verdicts and lines:
        result.observed = f"{result.failed} of {result.checked} rows, first in line {lines[0]}"
