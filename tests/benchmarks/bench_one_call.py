"""How fast one call reads a file of each format that is a stream: what ``one_call`` in ``pipeline.yaml`` is made of.

    python -m tests.benchmarks.bench_one_call [MEGABYTES]

Of each format the file that is slowest among those that people send (a line break in every record, every value quoted,
an array on one line), read and written as a staged Parquet file on one core, in seconds of CPU. Of CSV two more, to see
what the slowest costs the others: a line break in one record of a thousand, and in none.
"""

import io
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Facts, Target
from functions.ingest.staging import Staging, arrow_schema, stage
from stockflow.contracts import load_contract
from stockflow.settings import bundle_root
from tests.benchmarks.bench_limits import HEADER, array, cells, jsonl

NOW = datetime(2026, 9, 1, tzinfo=UTC)
CORPUS = Path(__file__).parents[1] / "corpus"


def broken(count: int, one_in: int = 1) -> bytes:
    """Return CSV with a line break in every record, or in one of so many."""
    rows = (",".join(_quoted(n, v, i % one_in == 0) for n, v in enumerate(cells(i))) for i in range(count))
    return "\n".join((",".join(HEADER), *rows)).encode()


def _quoted(number: int, value: str, is_broken: bool) -> str:
    return f'"{value}\n"' if is_broken and number == 3 else f'"{value}"'


def seldom_broken(count: int) -> bytes:
    """Return CSV with a line break in one record of a thousand."""
    return broken(count, 1_000)


def plain(count: int) -> bytes:
    """Return CSV without quotes."""
    return "\n".join((",".join(HEADER), *(",".join(map(str, cells(i))) for i in range(count)))).encode()


def x12(count: int) -> bytes:
    """Return an 852 message of so many items."""
    head = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260901*1430*^*00501*000000042*0*P*>~"
    items = "".join(f"LIN*{i}*IN*{cells(i)[3]}~ZA*QS*2*EA~SDQ*EA*92*LYO*1*PAR*1~\n" for i in range(count))
    body = f"ST*852*0001~XQ*H*20260901~{items}SE*{3 * count + 3}*0001~"
    return f"{head}GS*PD*A*B*20260901*1430*7*X*005010~{body}GE*1*7~IEA*1*000000042~".encode()


def edifact(count: int) -> bytes:
    """Return a SLSRPT message of so many items."""
    items = "".join(f"LIN+{i}++{cells(i)[3]}:EN'QTY+153:2:PCE'MOA+203:33,57'\n" for i in range(count))
    head = "UNH+1+SLSRPT:D:96A:UN'LOC+162+LYO::92'DTM+356:20260901:102'"
    return f"UNB+UNOC:3+A:14+B:14+260901:2216+77'{head}{items}UNT+{3 * count + 4}+1'UNZ+1+77'".encode()


def xml(count: int) -> bytes:
    """Return a UBL report: one of the corpus, with its line so many times."""
    text = next((CORPUS / "xml_ubl").glob("input*")).read_text(encoding="utf-8")
    start, end = text.index("<cac:InventoryReportLine"), text.rindex("</cac:InventoryReportLine>")
    line = text[start : text.index("</cac:InventoryReportLine>") + len("</cac:InventoryReportLine>")]
    return f"{text[:start]}{line * count}{text[end + len('</cac:InventoryReportLine>') :]}".encode()


FILES: dict[str, tuple[str, str, Callable[[int], bytes]]] = {
    "csv": ("sales", "csv", broken),
    "csv (one record in 1,000 broken)": ("sales", "csv", seldom_broken),
    "csv (no quotes)": ("sales", "csv", plain),
    "json": ("sales", "json", array),
    "jsonl": ("sales", "jsonl", jsonl),
    "x12": ("sales", "edi", x12),
    "edifact": ("sales", "edi", edifact),
    "xml": ("stock_snapshots", "xml", xml),
}


def speed(name: str, megabytes: float) -> tuple[float, int]:
    """Return MB a second, and how many rows there were."""
    feed, ending, make = FILES[name]
    data = make(int(1_000 * megabytes * 1e6 / len(make(1_000))))
    contract = load_contract(bundle_root() / "contracts" / f"{feed}.yaml")
    staging = Staging(arrow_schema(contract), "a" * 20, "b" * 32, NOW.date(), NOW)
    began, sink = time.process_time(), io.BytesIO()
    list(stage(decode(io.BytesIO(data), Target(contract, f"{feed}/x.{ending}"), Facts(), 1 << 40), staging, sink))
    return len(data) / 1e6 / (time.process_time() - began), staging.rows


if __name__ == "__main__":
    for format in FILES:
        found, rows = speed(format, float(sys.argv[1]) if len(sys.argv) > 1 else 8)
        print(f"| {format} | {rows:,} rows | {found:.1f} MB/s |")
