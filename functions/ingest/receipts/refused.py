"""Refused rows as they were sent, with what is wrong in front: to be edited and dropped again. Pure.

Delimited text and JSON Lines keep their dialect, order and encoding. Other formats become a CSV file in UTF-8.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from functions.ingest.readers.encoding import utf8_blocks
from functions.ingest.readers.lines import blocks
from functions.ingest.readers.model import Facts
from functions.ingest.readers.nearest import ADDED
from functions.ingest.readers.record import Syntax, read_record


@dataclass(frozen=True)
class Refusal:
    """A refused line: what is wrong, in which column, what would be right, and which row it is (``load/row``)."""

    line: int
    error: str
    column: str = ""
    suggestion: str = ""
    row: str = ""
    original: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """The added cells, in the order of ``ADDED``."""
        return self.error, self.column, self.suggestion, self.row


def refusals(
    rejects: Iterable[Mapping[str, Any]], quarantined: Iterable[Mapping[str, Any]], load: str
) -> list[Refusal]:
    """Return the refused rows of a load, in the order of their lines; several reasons of one row are one refusal.

    Rows may share a line: each file of a zip archive has its own lines, and objects may stand on one.
    """
    found = [
        Refusal(r["line"], r["message"], "", r["expected"] or "", "", r.get("original_text") or "") for r in rejects
    ]
    rows: dict[str, Refusal] = {}
    for q in quarantined:
        reason = _reason(q, load)
        rows[reason.row] = _both(rows[reason.row], reason) if reason.row in rows else reason
    return sorted([*found, *rows.values()], key=lambda r: r.line)


def _reason(verdict: Mapping[str, Any], load: str) -> Refusal:
    return Refusal(
        verdict["line"], verdict["message"], verdict["column_name"] or "", verdict["expected"] or "",
        f"{load}/{verdict['row']}", verdict.get("original_row") or "",
    )  # fmt: skip


def _both(one: Refusal, other: Refusal) -> Refusal:
    def joined(a: str, b: str) -> str:
        return "; ".join(dict.fromkeys(part for part in (a, b) if part))

    return Refusal(
        one.line, joined(one.error, other.error), joined(one.column, other.column),
        joined(one.suggestion, other.suggestion), one.row or other.row, one.original or other.original,
    )  # fmt: skip


def as_sent(stream: BinaryIO, detail: Mapping[str, Any], found: Sequence[Refusal]) -> tuple[str, bytes]:
    """Return the ending of a file and its content: the refused rows, as the sender wrote them where that can be.

    ``stream`` is the landed file, unpacked; ``detail`` is what ingest noted of it in the ledger.
    """
    kind, encoding = str(detail.get("format") or ""), str(detail.get("encoding") or "utf-8")
    if kind == "csv" and detail.get("delimiter") and detail.get("header_line") and not detail.get("members"):
        rows = _delimited(_body(stream, encoding), detail, found)
        return "csv", _encoded(rows, encoding, bool(detail.get("byte_order_mark")))
    if kind == "json":
        return "jsonl", _records(found)
    return "csv", _table(found)


def from_the_file(stream: BinaryIO, detail: Mapping[str, Any], found: Sequence[Refusal]) -> tuple[str, bytes] | None:
    """Return the same without the ledger's copies of the rows: all text is taken from the landed file.

    None where its lines are not its records: zip files, workbooks, messages, JSON that is written over several lines.
    """
    kind, encoding = str(detail.get("format") or ""), str(detail.get("encoding") or "utf-8")
    if detail.get("members"):
        return None
    if kind == "csv" and detail.get("delimiter") and detail.get("header_line"):
        return as_sent(stream, detail, found)
    if kind != "json":
        return None
    lines = _body(stream, encoding).decode("utf-8", "replace").split("\n")
    whole = [replace(r, original=lines[r.line - 1].strip() if r.line <= len(lines) else "") for r in found]
    return as_sent(stream, detail, whole) if all(_is_record(r) for r in whole) else None


def _is_record(refusal: Refusal) -> bool:
    """Whether a line is the whole record that was refused; one that could not be read need not be one."""
    if not refusal.row:
        return not refusal.original.startswith("[")
    try:
        return isinstance(json.loads(refusal.original), dict)
    except ValueError:
        return False


def _body(stream: BinaryIO, encoding: str) -> bytes:
    return b"".join(b.data for b in blocks(utf8_blocks(stream, Facts(), lambda _: 0, encoding)))


def _encoded(text: bytes, encoding: str, marked: bool) -> bytes:
    """Return UTF-8 in another encoding; a sign that it does not have can only stand in a reason."""
    body = text.decode("utf-8", "surrogateescape")
    plain = encoding.replace("_", "-").lower()
    if plain.startswith("utf-16"):
        return body.encode("utf-16")
    return (b"\xef\xbb\xbf" if marked else b"") + body.encode(
        "utf-8" if plain in ("ascii", "utf-8") else encoding, "replace"
    )


def _delimited(body: bytes, detail: Mapping[str, Any], found: Sequence[Refusal]) -> bytes:
    syntax = Syntax(
        str(detail["delimiter"]).encode(), str(detail.get("quote") or '"').encode(), detail.get("escape") == "\\"
    )
    wanted = {r.line: r for r in found}
    out = [part for line, raw in _lines(body, syntax) if (part := _marked(line, raw, wanted, detail, syntax))]
    return b"".join(out)


def _marked(
    line: int, raw: bytes, wanted: Mapping[int, Refusal], detail: Mapping[str, Any], syntax: Syntax
) -> bytes | None:
    if line == detail["header_line"]:
        cells: Sequence[str] = ADDED
    elif line in wanted:
        cells = wanted[line].cells
    else:
        return None
    return syntax.delimiter.join([*(_quoted(c, syntax) for c in cells), raw])


def _quoted(text: str, syntax: Syntax) -> bytes:
    quote = syntax.quote.decode()
    plain = " ".join(text.split()).replace("\\", "/" if syntax.escaped else "\\")
    return (quote + plain.replace(quote, quote * 2) + quote).encode() if plain else b""


def _lines(body: bytes, syntax: Syntax) -> Iterator[tuple[int, bytes]]:
    """Yield the line on which each record starts, and the record with its line end; a broken one ends with its line."""
    place, line = 0, 1
    while place < len(body):
        record = read_record(body, place, syntax)
        end = record.end if not record.problem else body.find(b"\n", place) + 1 or len(body)
        yield line, body[place:end]
        line += body.count(b"\n", place, end)
        place = end


def _records(found: Sequence[Refusal]) -> bytes:
    """Return JSON Lines: the keys that say what is wrong, then the record; ``_original`` where it is not one."""
    lines = []
    for refusal in found:
        try:
            record = json.loads(refusal.original)
        except ValueError:
            record = {"_original": refusal.original}
        record = record if isinstance(record, dict) else {"_original": refusal.original}
        stated = {k: v for k, v in record.items() if v is not None}
        lines.append(json.dumps({**dict(zip(ADDED, refusal.cells, strict=True)), **stated}, ensure_ascii=False))
    return ("\n".join(lines) + "\n").encode()


def _table(found: Sequence[Refusal]) -> bytes:
    rows = [json.loads(r.original) if r.row else {"_original": r.original} for r in found]
    names = list(dict.fromkeys(name for row in rows for name in row if name != "_extra"))
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([*ADDED, *names])
    for refusal, row in zip(found, rows, strict=True):
        writer.writerow([*refusal.cells, *(row.get(name) or "" for name in names)])
    return out.getvalue().encode()
