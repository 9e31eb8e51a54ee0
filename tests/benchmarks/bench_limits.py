"""How much memory a file of each format takes while it is read: what the figures of ``limits.COSTS`` come from.

    python -m tests.benchmarks.bench_limits [MEGABYTES]

Each format is read in two sizes, in a process of its own. What matters is by how much the peak of resident memory
grows from the small file to the large one, for each byte that the file grows: a reader's fixed cost (libraries, the
buffers of a batch) is in ``BASELINE``. Workbooks and text are read with texts that are all different, which is the
worst that a table of sales does.
"""

import io
import json
import os
import random
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from functions.ingest.limits import COSTS
from functions.ingest.readers.formats import FORMATS
from functions.ingest.readers.model import Facts, Target
from stockflow.contracts import load_contract
from stockflow.settings import bundle_root
from tests.support.memory import peak_bytes

HEADER = ("receipt_number", "line_number", "business_date", "sku", "location_code", "quantity", "net_amount")
MEGABYTES = 8
SHEET_ROWS = 1_048_000
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_ODS = 'xmlns:office="urn:o" xmlns:table="urn:t" xmlns:text="urn:x"'


def cells(i: int) -> tuple[str, ...]:
    """Return a row; its texts come nowhere else, and do not pack well."""
    noise = random.Random(i).randbytes(6).hex()
    return (f"R{noise}", str(i % 9), "2026-09-01", f"S{noise[::-1]}", "LYO", str(i % 7), f"{i % 100}.50")


def csv(count: int) -> bytes:
    """Return rows as CSV."""
    return "\n".join(map(",".join, (HEADER, *map(cells, range(count))))).encode()


def jsonl(count: int) -> bytes:
    """Return rows as JSON Lines."""
    return "\n".join(json.dumps(dict(zip(HEADER, cells(i), strict=True))) for i in range(count)).encode()


def array(count: int) -> bytes:
    """Return rows as one JSON array on one line."""
    return b"[" + jsonl(count).replace(b"\n", b", ") + b"]"


def _packed(parts: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def packed(count: int) -> bytes:
    """Return a zip file with rows as CSV."""
    return _packed({"x.csv": csv(count)})


def columnar(count: int) -> bytes:
    """Return rows as Parquet, in one row group."""
    out = io.BytesIO()
    rows = list(zip(*map(cells, range(count)), strict=True))
    parquet.write_table(pa.table(dict(zip(HEADER, rows, strict=True))), out, row_group_size=count)
    return out.getvalue()


def xlsx(count: int) -> bytes:
    """Return rows as XLSX, each text a shared string."""
    strings: list[str] = []

    def row(number: int, values: tuple[str, ...]) -> str:
        found = []
        for column, value in enumerate(values):
            strings.append(f"<si><t>{value}</t></si>")
            found.append(f'<c r="{chr(65 + column)}{number}" t="s"><v>{len(strings) - 1}</v></c>')
        return f'<row r="{number}">{"".join(found)}</row>'

    rows = "".join(row(i, v) for i, v in enumerate((HEADER, *map(cells, range(count))), 1))
    related = "".join(
        f'<Relationship Id="{i}" Type="{_OFFICE}/{kind}" Target="{kind}.xml"/>'
        for i, kind in (("s", "worksheet"), ("t", "sharedStrings"))
    )
    return _packed({
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="S" sheetId="1" r:id="s"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships>{related}</Relationships>",
        "xl/worksheet.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{"".join(strings)}</sst>',
    })  # fmt: skip


def ods(count: int) -> bytes:
    """Return rows as ODS."""

    def row(values: tuple[str, ...]) -> str:
        found = (
            f'<table:table-cell office:value-type="string"><text:p>{v}</text:p></table:table-cell>' for v in values
        )
        return f"<table:table-row>{''.join(found)}</table:table-row>"

    rows = "".join(map(row, (HEADER, *map(cells, range(count)))))
    sheet = f'<office:body><office:spreadsheet><table:table table:name="S">{rows}</table:table></office:spreadsheet>'
    return _packed({
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "META-INF/manifest.xml": "<manifest/>",
        "content.xml": f"<office:document-content {_ODS}>{sheet}</office:body></office:document-content>",
    })  # fmt: skip


MAKERS: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "csv": ("csv", csv),
    "json": ("json", array),
    "jsonl": ("json", jsonl),
    "zip": ("zip", packed),
    "parquet": ("parquet", columnar),
    "xlsx": ("xlsx", xlsx),
    "ods": ("ods", ods),
}


def read(kind: str, path: Path) -> dict[str, float]:
    """Read a file in this process, as its reader does in its own; return rows and peak memory in bytes."""
    target = Target(load_contract(bundle_root() / "contracts" / "sales.yaml"), f"sales/{path.name}", 1 << 40)
    with path.open("rb") as file:
        rows = sum(chunk.batch.num_rows for chunk in _chunks(kind, file, target) if chunk.batch is not None)
    return {"rows": rows, "peak": peak_bytes()}


def _chunks(kind: str, file: io.BufferedReader, target: Target) -> Iterator:  # type: ignore[type-arg]
    if kind in FORMATS:
        return FORMATS[kind].reader(file, target, Facts())
    from functions.ingest.readers.decode import decode

    return decode(file, target, Facts(), 1 << 40, 1 << 40)


def measured(name: str, count: int, folder: Path) -> tuple[int, float]:
    """Return the size of a file of so many rows, and the peak memory of the process that reads it, in bytes."""
    kind, make = MAKERS[name]
    path = folder / f"x.{name}"
    path.write_bytes(make(count))
    command = [sys.executable, "-m", "tests.benchmarks.bench_limits", "--read", kind, str(path)]
    out = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "MALLOC_ARENA_MAX": "2"}
    )
    found = json.loads(out.stdout)
    assert found["rows"] == count, (name, found)
    return path.stat().st_size, found["peak"]


def rows_for(name: str, size: int) -> int:
    """Return how many rows make a file of about so many bytes."""
    return min(int(size / (len(MAKERS[name][1](2_000)) / 2_000)), SHEET_ROWS)


def main(megabytes: int) -> None:
    """Print a line per format, beside the figure that ``limits`` has for it."""
    print("| format | file | peak memory | bytes of memory per byte of file | figure |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, (kind, _) in MAKERS.items():
            count = rows_for(name, megabytes * 1_000_000)
            (small, before), (large, peak) = (measured(name, n, Path(folder)) for n in (count // 4, count))
            cost, figure = (peak - before) / (large - small), COSTS[kind].read
            print(f"| {name} | {large / 1e6:.1f} MB | {peak / 1e6:.0f} MB | {cost:.1f} | {figure:g} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        print(json.dumps(read(sys.argv[2], Path(sys.argv[3]))))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else MEGABYTES)
