"""Rejects: kept on disk while a file is read, streamed into ``inventory_ops.reject_rows`` afterwards."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from tempfile import SpooledTemporaryFile
from typing import Any

from functions.ingest.readers.model import Reject
from stockflow.errors import PermanentError
from stockflow.identity import digest
from stockflow.ledger import StageRecord
from stockflow.services import Services

IN_MEMORY = 1_000_000
BATCH_ROWS = 500
BATCH_BYTES = 4_000_000  # a streaming insert takes 10 MB
MAX_REJECTS = 100_000

Row = dict[str, Any]


class Rejects:
    """The rejects of one load, in bounded memory."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY, mode="w+", encoding="utf-8")  # noqa: SIM115
        self.count = 0
        self.codes: Counter[str] = Counter()

    def __enter__(self) -> "Rejects":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, reject: Reject) -> None:
        """Keep one.

        Raises:
            PermanentError: ``too_many_rejects``: it is not the lines that are wrong, it is the file.
        """
        self.count += 1
        self.codes[reject.code] += 1
        if self.count > MAX_REJECTS:
            raise PermanentError(
                "too_many_rejects",
                f"more than {MAX_REJECTS:,} lines cannot be read; the last is line {reject.line}: "
                f"{reject.code}, {reject.message}. Nothing was loaded: look at the whole file",
                line=reject.line,
                last_code=reject.code,
            )
        self._file.write(json.dumps(asdict(reject)) + "\n")

    def lines(self) -> Iterator[str]:
        """Yield each as a line of JSON."""
        self._file.seek(0)
        yield from self._file

    def batches(self) -> Iterator[list[Row]]:
        """Yield them in batches that one streaming insert takes."""
        batch: list[Row] = []
        size = 0
        for line in self.lines():
            if batch and (len(batch) == BATCH_ROWS or size + len(line) > BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(json.loads(line))
            size += len(line)
        if batch:
            yield batch

    def stream(self, record: StageRecord, services: Services) -> None:
        """Append them to ``reject_rows`` under the record's run, with derived row ids."""
        facts = {
            "run_id": record.run_id, "load_id": record.load_id, "feed": record.feed, "landed_on": record.landed_on,
        }  # fmt: skip
        table = services.settings.table("ops", "reject_rows")
        number = 0
        for batch in self.batches():
            rows = [
                {**facts, **r, "number": number + i, "recorded_at": record.finished_at} for i, r in enumerate(batch, 1)
            ]
            services.warehouse.insert(table, rows, [digest(record.run_id, row["number"]) for row in rows])
            number += len(batch)
