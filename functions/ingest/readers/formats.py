"""The formats that are read: one entry each, from which docs/formats.md is made, too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import BinaryIO

from functions.ingest.readers.model import Chunk, Facts, Target

Reader = Callable[[BinaryIO, Target, Facts], Iterator[Chunk]]


@dataclass(frozen=True)
class Format:
    """A format: the module and function of its reader, whether it needs the whole file, and a process of its own.

    The rest is for people: its name, how its content tells it from others, what ``_line`` counts, what is held in
    memory at a time, and what refuses the whole file.
    """

    module: str
    function: str
    name: str
    told_by: str
    line: str
    holds: str
    refused: str
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


def _workbook(name: str, told_by: str, holds: str) -> Format:
    refused = "a password, damage, no visible sheet with data, or two sheets with what the feed needs"
    function = "read_workbook"
    return Format("workbook", function, name, told_by, "row of the sheet", holds, refused, whole=True, isolated=True)


_ITEM = "one item of up to 20,000 places; of sales, a number for each product, place and day (500,000 at most)"
_MESSAGE = "that differs, a cancellation, a message for another feed"
FORMATS = {
    "csv": Format(
        "delimited", "read_delimited", "CSV",
        told_by="text that is nothing else; delimiter and quotes are found in it",
        line="line",
        holds="2 MiB, and one record of up to 10 MB",
        refused="no header with the columns that the feed needs",
    ),
    "json": Format(
        "json_lines", "read_json", "JSON Lines or JSON",
        told_by="an object or an array of objects, or the name",
        line="line in which the record starts",
        holds="2 MiB, and one record of up to 10 million characters",
        refused="a damaged array (a damaged line costs only itself)",
    ),
    "parquet": Format(
        "columnar", "read_parquet", "Parquet",
        told_by="`PAR1`",
        line="row",
        holds="65,536 rows of a row group",
        refused="damage",
        whole=True, isolated=True,
    ),
    "xlsx": _workbook("XLSX or XLSM", "a zip file with a workbook in it", "20,000 rows, and all shared strings"),
    "xlsb": _workbook("XLSB", "a zip file with a binary workbook in it", "the sheet"),
    "xls": _workbook("XLS", "an OLE file with a workbook in it", "the sheet"),
    "ods": _workbook("ODS", "a zip file with an OpenDocument spreadsheet in it", "the sheet"),
    "avro": Format(
        "avro", "read_avro", "Avro",
        told_by="`Obj` and a 1",
        line="number of the record",
        holds="10,000 rows, and one block of the file, unpacked",
        refused="damage, a codec that is not of the format, values that are not records",
        whole=True, isolated=True,
    ),
    "x12": Format(
        "x12", "read_x12", "X12 (846 or 852)",
        told_by="an `ISA` segment, whose signs count",
        line="number of the item's LIN segment",
        holds=_ITEM,
        refused=f"a count or number of SE, GE, IEA or CTT {_MESSAGE}",
    ),
    "edifact": Format(
        "edifact", "read_edifact", "EDIFACT (INVRPT or SLSRPT)",
        told_by="`UNA` or `UNB`; the signs of UNA count",
        line="number of the item's LIN segment",
        holds=_ITEM,
        refused=f"a count or number of UNT, UNZ or CNT {_MESSAGE}",
    ),
    "xml": Format(
        "xml_reports", "read_xml", "XML (UBL 2.1 or GS1 inventory report)",
        told_by="the name of its root element",
        line="line in which the item's element starts",
        holds="256 KiB, and one item of up to 1 MB",
        refused="a document type (and so any entity of its own), damage, more than 64 levels, an element of more than "
        "65,536 characters, another feed",
    ),
    "fixed_width": Format(
        "fixed_width", "read_fixed_width", "fixed width",
        told_by="the contract declares its fields (`fixedWidth`), and the first records fit",
        line="number of the record",
        holds="1 MiB",
        refused="ASCII where the contract says EBCDIC: a transfer as text has ruined packed numbers",
    ),
}  # fmt: skip
_NAMES = ", ".join(f.name for f in FORMATS.values())
READABLE = f"{_NAMES} (each also packed by gzip, zstd or bzip2, or in a zip file)"
EXTENSIONS = tuple(f".{e}" for e in (*FORMATS, "xlsm", "tsv", "txt", "jsonl", "ndjson", "edi", "dat"))
