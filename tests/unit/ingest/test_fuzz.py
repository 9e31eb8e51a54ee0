"""Files damaged at random end in rows, rejects or a permanent error; never in anything else, never in silence."""

import io
import random
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.ingest.readers.avro import read_avro
from functions.ingest.readers.columnar import read_parquet
from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Facts, Target
from functions.ingest.readers.workbook import read_workbook
from stockflow.errors import PermanentError
from tests.fuzz.coverage_guided import READERS, reading, seeds
from tests.fuzz.damage import damaged, damaged_inside
from tests.support.streams import buffered
from tests.unit.ingest.reading import contracts

CORPUS = Path(__file__).parents[2] / "corpus"
XLSX = ("xlsx", "xlsx_error_cells", "xlsx_merged_over_rows", "xlsx_shared_strings", "xlsx_sheets_and_title")
NATIVE = ("ods/input.ods", "xls/input.xls", "parquet/input.parquet", "avro/input.avro")
TARGET = Target(contracts()["sales"], "sales/x.xlsx")


def xlsx_files(seed: int) -> Iterator[bytes]:
    rng = random.Random(seed)
    whole = [next((CORPUS / name).glob("*.xlsx")).read_bytes() for name in XLSX]
    while True:
        yield rng.choice([damaged, damaged_inside, damaged_inside])(rng.choice(whole), rng)


def native_files(seed: int) -> Iterator[bytes]:
    rng = random.Random(seed)
    whole = [path.read_bytes() for name in NATIVE if (path := CORPUS / name).exists()]
    while True:
        data = rng.choice(whole)
        yield rng.choice([damaged, damaged_inside])(data, rng) if data.startswith(b"PK") else damaged(data, rng)


def end_of(data: bytes, sandboxed: bool) -> str:
    """Read a file and say how it ended."""
    stream = io.BytesIO(data)
    try:
        chunks = list(decode(stream, TARGET, Facts(), 10**8) if sandboxed else read_workbook(stream, TARGET, Facts()))
    except PermanentError as error:
        assert error.message.encode()
        return error.code
    return f"{sum(c.batch.num_rows for c in chunks if c.batch)} rows"


def test_damaged_workbooks_end_well() -> None:
    ends = {end_of(data, sandboxed=False) for data, _ in zip(xlsx_files(20260901), range(300), strict=False)}
    assert "corrupt_workbook" in ends
    assert len(ends) > 3


@pytest.mark.parametrize("seed", [1, 2])
def test_what_native_code_reads_ends_well_in_its_own_process(seed: int) -> None:
    ends = {end_of(data, sandboxed=True) for data, _ in zip(native_files(seed), range(40), strict=False)}
    assert len(ends) > 1


@pytest.mark.parametrize("reader", READERS)
def test_the_coverage_guided_run_has_seeds_that_end_well(reader: str) -> None:
    found = list(seeds(reader))
    assert found
    for data in found:
        reading(reader)(data)


def test_a_length_that_the_file_does_not_have_makes_an_avro_file_damaged() -> None:
    """Found by the coverage-guided run: memory was made for as much as the length said, 2 to the 60th bytes."""
    head = b"Obj\x01\x02\x16avro.schema" + b"\x80" * 8 + b"\x20" + b"{" * 40
    with pytest.raises(PermanentError) as refused:
        list(read_avro(buffered(head), TARGET, Facts()))
    assert refused.value.code == "corrupt_avro"


def test_an_encoding_that_does_not_exist_makes_a_spreadsheet_damaged() -> None:
    """Found by the coverage-guided run: the encoding that a member's XML declares is looked up."""
    out = io.BytesIO()
    with zipfile.ZipFile(CORPUS / "ods/input.ods") as source, zipfile.ZipFile(out, "w") as copy:
        for name in source.namelist():
            copy.writestr(
                name,
                re.sub(rb"^<\?xml.*?\?>|^", b'<?xml version="1.0" encoding="UTFF-8"?>', source.read(name), count=1),
            )
    with pytest.raises(PermanentError) as refused:
        list(read_workbook(out, TARGET, Facts()))
    assert refused.value.code == "corrupt_workbook"


def test_names_of_columns_that_are_no_text_make_a_parquet_file_damaged() -> None:
    """Found by the coverage-guided run: Arrow raises UnicodeDecodeError for them."""
    data = next((CORPUS / "parquet").glob("*.parquet")).read_bytes().replace(b"sku", b"s\xff\xff")
    with pytest.raises(PermanentError) as refused:
        list(read_parquet(io.BytesIO(data), TARGET, Facts()))
    assert refused.value.code == "corrupt_parquet"


if __name__ == "__main__":  # the long run: ``python -m tests.unit.ingest.test_fuzz [SECONDS]`` prints what it found
    import collections
    import sys
    import time

    until, seed = time.monotonic() + float(sys.argv[1]), int(time.time())
    counts: collections.Counter[str] = collections.Counter()
    print("seed", seed)
    for xlsx, native in zip(xlsx_files(seed), native_files(seed), strict=False):
        counts[end_of(xlsx, sandboxed=False)] += 1
        counts[end_of(native, sandboxed=True)] += 1
        if time.monotonic() > until:
            break
    print(counts)
