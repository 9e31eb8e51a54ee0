"""Lines of a run of JSON that hold true or false where something else is meant: refused, as the strict reader does."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from functions.ingest.readers.arrow import integers, text
from functions.ingest.readers.json_clean import Written
from functions.ingest.readers.json_text import readable_text
from functions.ingest.readers.misfit import takes_booleans, unfit_value
from functions.ingest.readers.model import Chunk, shown
from stockflow.contracts import Contract

_WORDS = {"true": True, "false": False}


def without_booleans(batch: pa.RecordBatch, run: bytes, written: Mapping[str, Written], contract: Contract) -> Chunk:
    """Return the rows of a run without those that are refused, and their rejects; ``written``: the values by column."""
    found = _found(written, contract)
    if not found:
        return Chunk(batch)
    lines, texts = batch.column("_line"), run.decode().split("\n")
    rejects = tuple(
        unfit_value(lines[row].as_py(), contract.column(name), value, readable_text(shown(texts[row].strip(" \t\r"))))
        for row, (name, value) in sorted(found.items())
    )
    left = batch.filter(pc.invert(pc.is_in(lines, integers([r.line for r in rejects]))))
    return Chunk(left if len(left) else None, rejects)


def _found(written: Mapping[str, Written], contract: Contract) -> dict[int, tuple[str, bool]]:
    """Return the rows with such a value: its column, the first one of the row, and the value."""
    found: dict[int, tuple[str, bool]] = {}
    for name, values in written.items():
        if values.bare or takes_booleans(contract.column(name).logical_type):
            continue
        for word, value in _WORDS.items():  # cheaper than to look for the words in all of the run
            rows = pc.indices_nonzero(pc.equal(values.values, text(word))).to_pylist()
            found = dict.fromkeys(rows, (name, value)) | found
    return found
