"""Small loads that meet in one process are judged as one, and each gets its own answer."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import numpy as np
import pandas as pd
import pytest

from cli.trial import rules
from functions.validate import expectations
from functions.validate.judge import Bench
from functions.validate.survey import Survey
from stockflow.contracts import load_contracts
from tests.support.rows import table

CONTRACTS = load_contracts(Path(__file__).parents[3] / "contracts")
LANDED = datetime(2026, 10, 12, 8, tzinfo=UTC)
SALES = CONTRACTS["sales"]


def frame(feed: str, seed: int, rows: int) -> pd.DataFrame:
    """Return the typed batch of a load with good and bad values in each column."""
    contract, rng = CONTRACTS[feed], np.random.default_rng(seed)
    values = ["1", "-5", "", "2026-10-11", "1999-12-31", "A-1", "EUR", "euro", "Total", "1e400", None]
    texts = {c.name: [values[i] for i in rng.integers(0, len(values), rows)] for c in contract.stated}
    batch = table(contract, texts, rows).combine_chunks().to_batches()[0]
    return Bench(contract, Survey.of(contract, [batch]), LANDED).frame(batch)


def plain(found: expectations.Failing) -> dict[str, list[int]]:
    """Return the places as plain numbers."""
    return {rule: [int(p) for p in places] for rule, places in found.items()}


def at_once(frames: list[tuple[str, pd.DataFrame]]) -> list[expectations.Failing]:
    """Judge frames at the same moment."""
    start = Barrier(len(frames))

    def judged(feed: str, part: pd.DataFrame) -> expectations.Failing:
        start.wait()
        return expectations.failing(CONTRACTS[feed], part)

    with ThreadPoolExecutor(len(frames)) as pool:
        return list(pool.map(lambda one: judged(*one), frames))


def test_each_load_gets_the_answer_it_would_get_alone() -> None:
    """Of several feeds and sizes at once; the answer is computed another way, without Great Expectations."""
    feeds = ["sales", "stock_snapshots", "sales", "products", "sales", "stock_snapshots", "sales", "sales"]
    frames = [(feed, frame(feed, seed, 3 + 7 * seed)) for seed, feed in enumerate(feeds)]
    found = at_once(frames)
    expected = [rules.failing(CONTRACTS[feed], part) for feed, part in frames]
    assert [plain(f) for f in found] == [plain(e) for e in expected]
    assert any(len(places) for each in expected for places in each.values())


def test_a_burst_of_small_loads_asks_great_expectations_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen loads at once are judged by far fewer validations."""
    expectations.failing(SALES, frame("sales", 0, 5))
    ready, asked = expectations.prepared(SALES).batches, list[int]()
    monkeypatch.setattr(type(ready), "get_batch", _counted(type(ready).get_batch, asked))
    at_once([("sales", frame("sales", seed, 10)) for seed in range(16)])
    assert sum(asked) == 160
    assert len(asked) <= 4


def _counted(get_batch, asked):  # type: ignore[no-untyped-def]
    def counted(self, batch_parameters=None):  # type: ignore[no-untyped-def]
        asked.append(len(batch_parameters["dataframe"]))
        return get_batch(self, batch_parameters)

    return counted
