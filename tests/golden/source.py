"""The sample files as plain rows of text: read line by line with the standard library only."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq

SAMPLES = Path(__file__).resolve().parents[2] / "samples"

FOREIGN_HEADERS = {
    "Date de stock": "business_date", "Référence": "sku", "Code magasin": "location_code",
    "Quantité en stock": "on_hand", "Qté disponible": "available", "Qté réservée": "committed",
    "Qté en commande": "incoming", "Unité": "unit", "Coût unitaire": "unit_cost", "Devise": "currency",
    "N° ticket": "receipt_number", "Ligne": "line_number", "Date de vente": "business_date",
    "Heure de vente": "sold_at", "Quantité": "quantity",
    "Montant HT": "net_amount", "Montant TTC": "gross_amount",
    "Stock date": "business_date", "MATNR": "sku", "WERKS": "location_code", "LABST": "on_hand",
    "MEINS": "unit", "STPRS": "unit_cost", "WAERS": "currency",
}  # fmt: skip


@dataclass
class Reading:
    """One file: its readable rows as (line, text by column), and the lines that cannot be read."""

    path: str
    comma: bool = False
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    rejects: list[int] = field(default_factory=list)


def read(path: str) -> Reading:
    """Return what one sample file says."""
    file = SAMPLES / path
    if path.endswith(".parquet"):
        return _parquet(path, file)
    if path.endswith(".xlsx"):
        return _workbook(path, file)
    if path.endswith(".jsonl"):
        return _json_lines(path, file)
    return _delimited(path, _text(file))


def _text(file: Path) -> str:
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def _delimited(path: str, text: str) -> Reading:
    lines = text.splitlines()
    delimiter = max(",;\t", key=lines[0].count)
    reading = Reading(path, comma=delimiter != ",")
    header = [FOREIGN_HEADERS.get(name, name) for name in lines[0].split(delimiter)]
    for number, line in enumerate(lines[1:], 2):
        cells = _cells(line, delimiter)
        if len(cells) == len(header):
            reading.rows.append((number, _with_file_date(path, dict(zip(header, cells, strict=True)))))
        else:
            reading.rejects.append(number)
    return reading


def _cells(line: str, delimiter: str) -> list[str]:
    """Return the cells of one line; none when a quote is left open. No sample has a line break in a cell."""
    try:
        return next(csv.reader(io.StringIO(line), delimiter=delimiter, strict=True))
    except csv.Error:
        return []


def _with_file_date(path: str, row: dict[str, str]) -> dict[str, str]:
    digits = "".join(filter(str.isdigit, path))
    if "/stock_" in path and "business_date" not in row and len(digits) == 8:
        row["business_date"] = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    return row


def _json_lines(path: str, file: Path) -> Reading:
    reading = Reading(path)
    for number, line in enumerate(file.read_text().splitlines(), 1):
        try:
            reading.rows.append((number, {k: str(v) for k, v in json.loads(line).items()}))
        except ValueError:
            reading.rejects.append(number)
    return reading


def _parquet(path: str, file: Path) -> Reading:
    rows = pq.read_table(file).to_pylist()
    return Reading(path, rows=[(n, {k: str(v) for k, v in row.items()}) for n, row in enumerate(rows, 1)])


def _workbook(path: str, file: Path) -> Reading:
    sheet = openpyxl.load_workbook(file).worksheets[0]
    header, *body = sheet.iter_rows(values_only=True)
    rows = [(n, {str(h): _shown(v) for h, v in zip(header, row, strict=True)}) for n, row in enumerate(body, 2)]
    return Reading(path, rows=rows)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if hasattr(value, "hour"):
        moment = value + timedelta(milliseconds=500)
        return str(moment.strftime("%Y-%m-%d" if (moment.hour, moment.minute) == (0, 0) else "%Y-%m-%d %H:%M:%S"))
    return str(value)


def read_all(paths: Iterator[str] | list[str]) -> dict[str, Reading]:
    """Return all readings by path."""
    return {path: read(path) for path in paths}
