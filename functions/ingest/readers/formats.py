"""The formats that are read: one line each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import BinaryIO

from functions.ingest.readers.model import Chunk, Facts, Target

Reader = Callable[[BinaryIO, Target, Facts], Iterator[Chunk]]


@dataclass(frozen=True)
class Format:
    """A format: the module and function of its reader, whether it needs the whole file, and a process of its own."""

    module: str
    function: str
    whole: bool = False
    isolated: bool = False

    @property
    def path(self) -> str:
        """Where the module is."""
        return f"functions.ingest.readers.{self.module}"

    @property
    def reader(self) -> Reader:
        """The reader; it is imported only when a file of its kind lands."""
        found: Reader = getattr(import_module(self.path), self.function)
        return found


_WORKBOOK = Format("workbook", "read_workbook", whole=True, isolated=True)
FORMATS = {
    "csv": Format("delimited", "read_delimited"),
    "json": Format("json_lines", "read_json"),
    "parquet": Format("columnar", "read_parquet", whole=True, isolated=True),
    "xlsx": _WORKBOOK,  # and XLSM
    "xlsb": _WORKBOOK,
    "xls": _WORKBOOK,
    "ods": _WORKBOOK,
}
READABLE = (
    "CSV, JSON Lines, JSON, Parquet, XLSX, XLSM, XLSB, XLS or ODS "
    "(each also packed by gzip, zstd or bzip2, or in a zip file)"
)
EXTENSIONS = tuple(f".{e}" for e in (*FORMATS, "xlsm", "tsv", "txt", "jsonl", "ndjson"))
