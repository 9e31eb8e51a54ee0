"""Great Expectations: one context for the process, one suite and one batch definition per contract version."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from functions.validate.preload import import_great_expectations
from functions.validate.suite import row_checks, suite
from stockflow.contracts import Contract
from stockflow.singleflight import SingleFlight

# Complete, so that each row is named, by its place in the frame; the values are taken from the file's own text.
FORMAT = {
    "result_format": "COMPLETE",
    "exclude_unexpected_values": True,
    "partial_unexpected_count": 0,
    "return_unexpected_index_query": False,
}
_VERSIONS_KEPT = 50
TOGETHER_ROWS = 5_000  # below, most of what a batch costs Great Expectations does not depend on its rows

Failing = dict[str, npt.NDArray[np.intp]]


@dataclass(frozen=True)
class Ready:
    """What judges frames of one contract version."""

    batches: Any
    suite: Any


class _Versions:
    """The contract versions that were asked for lately, in one context."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._ready: dict[tuple[str, str], Ready] = {}
        self._source: Any = None

    def ready(self, contract: Contract) -> Ready:
        """Return what judges frames of a contract, made at its first use."""
        key = (contract.feed, contract.fingerprint)
        if key not in self._ready:
            if self._source is None or len(self._ready) >= _VERSIONS_KEPT:
                self._ready.clear()
                self._source = _new_source()
            asset = self._source.add_dataframe_asset("-".join(key))
            batches = asset.add_batch_definition_whole_dataframe("load")
            self._ready[key] = Ready(batches, suite("-".join(key), row_checks(contract)))
        return self._ready[key]


_versions = _Versions()


@dataclass(frozen=True, eq=False)
class _Small:
    """A frame of few rows that may be judged with others of its contract."""

    frame: pd.DataFrame


_meeting: SingleFlight[_Small, dict[_Small, Failing]] = SingleFlight()


def failing(contract: Contract, frame: pd.DataFrame) -> Failing:
    """Return rule -> places of the rows of a frame that break it, in order.

    Small frames of one contract version that meet in this process are judged as one: each row is judged by itself.

    Raises:
        RuntimeError: when an expectation itself fails.
    """
    if len(frame) > TOGETHER_ROWS:
        return _judged(contract, frame)
    key, small = (contract.feed, contract.fingerprint), _Small(frame)
    return _meeting.join(key, small, lambda asked: _together(contract, list(asked)))[small]


def _together(contract: Contract, asked: list[_Small]) -> dict[_Small, Failing]:
    """Return what fails in each of these frames; their columns are the same, they follow from the contract."""
    found = _judged(contract, pd.concat([small.frame for small in asked], ignore_index=True))
    ends = np.cumsum([len(small.frame) for small in asked])
    return {
        small: {rule: _between(places, end - len(small.frame), end) for rule, places in found.items()}
        for small, end in zip(asked, ends, strict=True)
    }


def _between(places: npt.NDArray[np.intp], start: int, end: int) -> npt.NDArray[np.intp]:
    first, last = np.searchsorted(places, [start, end])
    return places[first:last] - start


def _judged(contract: Contract, frame: pd.DataFrame) -> Failing:
    with _versions.lock:  # its context and its execution engine are shared
        ready = _versions.ready(contract)
        batch = ready.batches.get_batch({"dataframe": frame})
        outcome = batch.validate(ready.suite, result_format=FORMAT)
    return {r.expectation_config.meta["rule"]: _places(r) for r in outcome.results}


def prepared(contract: Contract) -> Ready:
    """Return what judges frames of a contract (for benchmarks)."""
    return _versions.ready(contract)


def _new_source() -> Any:
    context = import_great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context.data_sources.add_pandas("loads")


def _places(found: Any) -> npt.NDArray[np.intp]:
    if found.exception_info.get("raised_exception"):
        rule = found.expectation_config.meta["rule"]
        raise RuntimeError(f"{rule}: {found.exception_info.get('exception_message')}")
    places = np.sort(np.array(found.result.get("unexpected_index_list") or [], dtype=np.intp))
    return places[np.diff(places, prepend=-1) > 0]  # np.unique, which hashes, takes thirty times as long
