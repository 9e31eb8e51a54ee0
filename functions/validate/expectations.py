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

# Complete, so that each row is named, by its place in the frame; the values are taken from the file's own text.
FORMAT = {
    "result_format": "COMPLETE",
    "exclude_unexpected_values": True,
    "partial_unexpected_count": 0,
    "return_unexpected_index_query": False,
}
_VERSIONS_KEPT = 50


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


def failing(contract: Contract, frame: pd.DataFrame) -> dict[str, npt.NDArray[np.intp]]:
    """Return rule -> places of the rows of a frame that break it, in order.

    Raises:
        RuntimeError: when an expectation itself fails.
    """
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
