"""The good rows of a sheet become batches, each of so many rows, or so much text."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from functions.ingest.readers.arrow import integers, texts
from functions.ingest.readers.batches import batch_of
from functions.ingest.readers.layout import Layout
from functions.ingest.readers.model import Chunk
from functions.ingest.readers.sheet_rows import Body, Run

BATCH = 20_000
BATCH_TEXT = 8_000_000


def chunks(body: Body, plan: Layout) -> Iterator[Chunk]:
    """Yield the rows of a sheet, and its rejects."""
    batch = _Batch(plan)
    for part in body.parts():
        if isinstance(part, Run) and batch.take(part):
            continue
        for number, cells in part.rows() if isinstance(part, Run) else (part,):
            if batch.add(number, cells):
                yield Chunk(batch.made(), body.take_rejects())
                batch = _Batch(plan)
    yield Chunk(batch.made(), body.take_rejects())


class _Batch:
    """The rows of a batch, by column."""

    def __init__(self, plan: Layout) -> None:
        self._plan = plan
        self._numbers: list[int] = []
        self._columns: list[list[str]] = [[] for _ in range(plan.width)]
        self._size = 0

    def add(self, number: int, cells: Sequence[str]) -> bool:
        """Add a row; return whether the batch is full."""
        self._numbers.append(number)
        for column, cell in zip(self._columns, cells, strict=True):
            column.append(cell)
        self._size += sum(map(len, cells))
        return len(self._numbers) == BATCH or self._size > BATCH_TEXT

    def take(self, run: Run) -> bool:
        """Add rows; return False when they would fill the batch."""
        size = self._size + sum([sum(map(len, cells)) for cells in run.columns])
        if len(self._numbers) + len(run.numbers) >= BATCH or size > BATCH_TEXT:
            return False
        self._numbers += run.numbers
        for column, cells in zip(self._columns, run.columns, strict=True):
            column.extend(cells)
        self._size = size
        return True

    def made(self) -> pa.RecordBatch | None:
        """Return the batch, if there is anything in it."""
        if not self._numbers:
            return None
        return batch_of(self._plan, integers(self._numbers), [texts(c) for c in self._columns])
