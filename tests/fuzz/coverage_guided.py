"""The coverage-guided run of one reader: rows, rejects or a permanent error, nothing else, no hang, bounded memory.

    uv run --with atheris python -m tests.fuzz.coverage_guided x12 FOLDER -max_total_time=3600

``make fuzz`` runs each of them (``tests/fuzz/run.py``). ``csv-twice``, ``json-twice`` and ``xlsx-twice`` read
what the fast parser reads by the strict one, too, and find where they differ; ``archive`` reads files of CSV in a zip
file, with control files.

``FOLDER`` keeps the inputs that reached new code, so that a later run goes on from them; the first ones are the files
of ``tests/corpus``. What libFuzzer finds it writes to ``crash-*``, ``timeout-*`` or ``oom-*`` in the working directory.
"""

import importlib
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from tests.fuzz.damage import damaged, damaged_inside
from tests.support.streams import buffered

CORPUS = Path(__file__).parents[1] / "corpus"
LARGEST_SEED = 20_000
LIMITS = ("-timeout=20", "-rss_limit_mb=2500", "-max_len=20000")


@dataclass(frozen=True)
class Fuzzed:
    """What a reader is given: a feed, a file's name, how names of its seeds begin, a case that declares fields."""

    feed: str
    name: str
    seeds: tuple[str, ...]
    declared: str = ""


_STOCK = "stock_snapshots"
READERS = {
    "csv": Fuzzed("sales", "sales/x.csv", ("",)),
    "csv-twice": Fuzzed("sales", "sales/x.csv", ("",)),
    "json": Fuzzed("sales", "sales/x.json", ("json",)),
    "json-twice": Fuzzed("sales", "sales/x.json", ("json",)),
    "x12": Fuzzed("sales", "sales/x.edi", ("x12",)),
    "x12-stock": Fuzzed(_STOCK, "stock_snapshots/x.edi", ("x12",)),
    "edifact": Fuzzed("sales", "sales/x.edi", ("edifact",)),
    "edifact-stock": Fuzzed(_STOCK, "stock_snapshots/x.edi", ("edifact",)),
    "xml": Fuzzed(_STOCK, "stock_snapshots/x.xml", ("xml", "ubl", "gs1")),
    "xlsx": Fuzzed("sales", "sales/x.xlsx", ("xlsx",)),
    "xlsx-twice": Fuzzed("sales", "sales/x.xlsx", ("xlsx",)),
    "xlsb": Fuzzed("sales", "sales/x.xlsb", ("xlsb",)),
    "xls": Fuzzed("sales", "sales/x.xls", ("xls",)),
    "ods": Fuzzed("sales", "sales/x.ods", ("ods",)),
    "parquet": Fuzzed("sales", "sales/x.parquet", ("parquet",)),
    "avro": Fuzzed("sales", "sales/x.avro", ("avro",)),
    "archive": Fuzzed("sales", "sales/x.zip", ("zip",)),
    "fixed_width": Fuzzed(_STOCK, "stock_snapshots/x.dat", ("fixed",), "fixed_lines"),
    "fixed_width-ebcdic": Fuzzed(_STOCK, "stock_snapshots/x.dat", ("fixed",), "fixed_ebcdic"),
}


ZIPPED = ("xlsx", "xlsx-twice", "xlsb", "ods", "archive")


def seeds(reader: str) -> Iterator[bytes]:
    """Yield the small files of the corpus that this reader reads."""
    starts = READERS[reader].seeds
    for path in sorted(CORPUS.glob("*/*")):
        is_one = starts == ("",) or path.parent.name.partition("_")[0] in starts
        if is_one and path.name != "expected.yaml" and path.stat().st_size < LARGEST_SEED:
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
    packed = {"custom_mutator": inside} if reader in ZIPPED else {}
    atheris.Setup([sys.argv[0], str(kept), *LIMITS, *options], read, **packed)
    atheris.Fuzz()


def inside(data: bytes, most: int, seed: int) -> bytes:
    """Return a zip file with a damaged member: libFuzzer's own changes would only break its checksums."""
    chosen = random.Random(seed)
    try:
        changed = damaged_inside(data, chosen) if chosen.random() < 0.9 else damaged(data, chosen)
    except Exception:  # what an earlier change has broken
        changed = damaged(data, chosen)
    return changed if len(changed) <= most else data


def written(values: dict[str, Any]) -> bytes:
    """Return values as the ledger keeps them; raises where a text is not valid."""
    return json.dumps(values, ensure_ascii=False, default=str).encode()


def declaring(contract: Any, case: str) -> Any:
    """Return a contract with what a case of the corpus declares besides it."""
    if not case:
        return contract
    declared = yaml.safe_load((CORPUS / case / "expected.yaml").read_text(encoding="utf-8"))["declared"]
    return replace(contract, properties={**contract.properties, **declared})


def of_csv_in_zip(stream: Any, target: Any, facts: Any) -> Any:
    """Read the members of an archive as CSV: what other formats are read by has readers of its own here."""
    from functions.ingest.readers.archive import members
    from functions.ingest.readers.delimited import read_delimited
    from functions.ingest.readers.workbook_file import kind_of_workbook

    if kind_of_workbook(stream, target.name) == "zip":
        yield from members(stream, target, facts, 10**7, read_delimited)


def reading(reader: str) -> Any:
    """Return what reads one input with this reader."""
    from functions.ingest.readers.formats import FORMATS
    from functions.ingest.readers.model import Facts, Target
    from stockflow.errors import PermanentError
    from tests.unit.ingest.reading import contracts

    fuzzed = READERS[reader]
    target = Target(declaring(contracts()[fuzzed.feed], fuzzed.declared), fuzzed.name)
    decode: Any = of_csv_in_zip if reader == "archive" else FORMATS[reader.partition("-")[0]].reader

    if reader.endswith("-twice"):
        from tests.fuzz.twice import read_twice

        return lambda data: read_twice(decode, data, target)

    def read(data: bytes) -> None:
        facts = Facts()
        try:
            for chunk in decode(buffered(data), target, facts):
                for reject in chunk.rejects:
                    written(asdict(reject))
            written(facts.values)
        except PermanentError as error:
            assert error.message
            written({"message": error.message, **error.facts})

    return read


if __name__ == "__main__":
    main(sys.argv[1:])
