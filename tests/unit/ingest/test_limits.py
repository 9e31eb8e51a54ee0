"""How large a file may be follows from the instance's memory; a larger one is told what to do."""

import io
import zipfile

import pytest

from functions.ingest.limits import COSTS, SANDBOX_SHARE, largest, sandbox_memory
from functions.ingest.readers.decode import decode
from functions.ingest.readers.formats import FORMATS
from functions.ingest.readers.model import Facts, Target
from functions.ingest.readers.xlsb_marks import xlsb_marks
from stockflow.errors import PermanentError
from stockflow.settings import Settings
from tests.unit.ingest.reading import contracts

GIB = 1 << 30


@pytest.mark.parametrize("name", sorted(COSTS))
def test_more_memory_takes_larger_files(name: str) -> None:
    assert largest(name, GIB) <= largest(name, 2 * GIB) <= largest(name, 8 * GIB)
    assert largest(name, GIB) >= 5_000_000


def test_every_format_has_its_cost() -> None:
    assert set(FORMATS) <= set(COSTS)


def test_all_calls_at_once_stay_within_memory() -> None:
    files = 4 * max(largest(name, GIB) for name in COSTS if COSTS[name].spooled)
    assert 300_000_000 + files + sandbox_memory(GIB) <= GIB
    assert sandbox_memory(GIB) == int(GIB * SANDBOX_SHARE)


def test_text_is_read_in_parts_whatever_its_size() -> None:
    assert largest("csv", GIB) > 10**12
    assert largest("json", GIB) > 10**12


def test_a_file_beyond_its_limit_says_what_to_do() -> None:
    data = io.BytesIO(b"PAR1" + b"x" * 3_000_000)
    with pytest.raises(PermanentError) as refused:
        list(decode(data, Target(contracts()["sales"], "sales/x.parquet"), Facts(), 10**9, 466_000_000))
    assert refused.value.code == "too_large_for_function"
    assert all(w in refused.value.message for w in ("sales/x.parquet", "more than", "takes", "Split it"))


def test_an_archive_that_unpacks_without_end_is_stopped() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"0" * 10_000_000)
    with pytest.raises(PermanentError) as refused:
        list(decode(io.BytesIO(out.getvalue()), Target(contracts()["sales"], "sales/x.zip"), Facts(), 100_000))
    assert refused.value.code == "too_large_for_function"


def test_memory_comes_from_the_environment() -> None:
    env = {"GOOGLE_CLOUD_PROJECT": "p"}
    assert Settings.from_env(env).memory_bytes == GIB
    assert Settings.from_env({**env, "STOCKFLOW_MEMORY_BYTES": "2147483648"}).memory_bytes == 2 * GIB


def test_errors_of_an_xlsb_sheet_are_found() -> None:
    row, error = b"\x00\x04" + (7).to_bytes(4, "little"), b"\x03\x09" + (2).to_bytes(4, "little") + b"\0\0\0\0\x2a"
    wide = b"\x85\x01\x03abc"
    assert xlsb_marks(row + wide + error).errors == {(7, 2): "#N/A"}
