"""The coverage-guided run of one reader: rows, rejects or a permanent error, nothing else, no hang, bounded memory.

    uv run --with atheris python -m tests.fuzz.coverage_guided x12 FOLDER -max_total_time=3600

``FOLDER`` keeps the inputs that reached new code, so that a later run goes on from them; the first ones are the files
of ``tests/corpus``. What libFuzzer finds it writes to ``crash-*``, ``timeout-*`` or ``oom-*`` in the working directory.
"""

import importlib
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parents[1] / "corpus"
LARGEST_SEED = 20_000
LIMITS = ("-timeout=20", "-rss_limit_mb=2500", "-max_len=20000")
# reader -> feed, name of the file, how the names of its seeds begin
READERS = {
    "csv": ("sales", "sales/x.csv", ("",)),
    "json": ("sales", "sales/x.json", ("json",)),
    "x12": ("sales", "sales/x.edi", ("x12",)),
    "x12-stock": ("stock_snapshots", "stock_snapshots/x.edi", ("x12",)),
    "edifact": ("sales", "sales/x.edi", ("edifact",)),
    "edifact-stock": ("stock_snapshots", "stock_snapshots/x.edi", ("edifact",)),
    "xml": ("stock_snapshots", "stock_snapshots/x.xml", ("xml", "ubl", "gs1")),
    "xlsx": ("sales", "sales/x.xlsx", ("xlsx",)),
}


def seeds(reader: str) -> Iterator[bytes]:
    """Yield the small files of the corpus that this reader reads."""
    starts = READERS[reader][2]
    for path in sorted(CORPUS.glob("*/*")):
        if path.parent.name.startswith(starts) and path.name != "expected.yaml" and path.stat().st_size < LARGEST_SEED:
            yield path.read_bytes()


def main(arguments: list[str]) -> None:
    """Fuzz the reader named first, with the folder and libFuzzer's options behind it."""
    reader, folder, *options = arguments
    kept = Path(folder)
    kept.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(reader)):
        (kept / f"seed-{number}").write_bytes(data)
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["functions.ingest.readers", "stockflow.values"]):
        read = reading(reader)
    atheris.Setup([sys.argv[0], str(kept), *LIMITS, *options], read)
    atheris.Fuzz()


def written(values: dict[str, Any]) -> bytes:
    """Return values as the ledger keeps them; raises where a text is not valid."""
    return json.dumps(values, ensure_ascii=False, default=str).encode()


def reading(reader: str) -> Any:
    """Return what reads one input with this reader."""
    from functions.ingest.readers.formats import FORMATS
    from functions.ingest.readers.model import Facts, Target
    from functions.ingest.readers.workbook import read_workbook
    from stockflow.errors import PermanentError
    from tests.unit.ingest.reading import contracts

    feed, name, _ = READERS[reader]
    target = Target(contracts()[feed], name)
    decode: Any = read_workbook if reader == "xlsx" else FORMATS[reader.partition("-")[0]].reader

    def read(data: bytes) -> None:
        facts = Facts()
        try:
            for chunk in decode(io.BufferedReader(io.BytesIO(data)), target, facts):  # type: ignore[arg-type]
                for reject in chunk.rejects:
                    written(asdict(reject))
            written(facts.values)
        except PermanentError as error:
            assert error.message
            written({"message": error.message, **error.facts})

    return read


if __name__ == "__main__":
    main(sys.argv[1:])
