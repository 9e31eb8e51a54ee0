"""Refused rows as they were sent: same dialect, order and encoding, with what is wrong in front."""

import csv
import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.trial.read import Trial, try_file
from functions.ingest.readers.nearest import ADDED
from functions.ingest.receipts.described import described
from functions.ingest.receipts.page import page
from functions.ingest.receipts.refused import Refusal, as_sent, from_the_file, refusals
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root

CONTRACTS = load_contracts(bundle_root() / "contracts")
NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)
HEADER = "ticket;ligne;date;article;magasin;libellé;qté;montant net"
FILE = (
    "Export du 30/09\r\n"
    f"{HEADER}\r\n"
    'R1;1;02/09/2026;A1;LYO;"Thé; vert";2;17,80\r\n'
    'R2;1;02/09/2026;A2;LYO;"deux\r\nlignes";trois;17,80\r\n'
    "R3;1;02/09/2026;A3;LYO;;4;18\r\n"
    "R4;1;02/09/2026;A4;LYO;;x€;19\r\n"
)


def trial(tmp_path: Path, content: bytes, name: str = "sales/ventes.csv") -> Trial:
    path = tmp_path / "file"
    path.write_bytes(content)
    return try_file(path, name, CONTRACTS, NOW)


def of_trial(found: Trial) -> list[Refusal]:
    """The refusals of a file that was tried, as the ledger would have them."""
    verdicts = [{**v, "row": i} for i, v in enumerate(found.first_refused)]
    return refusals(found.first_rejects, verdicts, "load")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_delimited_rows_keep_their_dialect_and_their_bytes(tmp_path: Path, encoding: str) -> None:
    found = trial(tmp_path, FILE.encode(encoding))
    assert found.refused == 2
    ending, content = as_sent(io.BytesIO(FILE.encode(encoding)), found.detail, of_trial(found))
    back = content.decode("utf-16" if encoding == "utf-16" else encoding)
    assert ending == "csv" and content.startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")
    rows = list(csv.reader(io.StringIO(back, newline=""), delimiter=";"))
    assert rows[0] == [*ADDED, *HEADER.split(";")]
    assert [r[4:] for r in rows[1:]] == [
        ["R2", "1", "02/09/2026", "A2", "LYO", "deux\r\nlignes", "trois", "17,80"],
        ["R4", "1", "02/09/2026", "A4", "LYO", "", "x€", "19"],
    ]
    assert rows[1][1] == "quantity" and rows[1][3] == "load/0" and "cannot be read as a number" in rows[1][0]
    # what the sender wrote is there byte for byte
    assert 'R2;1;02/09/2026;A2;LYO;"deux\r\nlignes";trois;17,80\r\n' in back


def test_corrected_rows_come_back_without_a_word_about_the_added_columns(tmp_path: Path) -> None:
    found = trial(tmp_path, FILE.replace("x€", "1").encode())
    _, content = as_sent(io.BytesIO(FILE.replace("x€", "1").encode()), found.detail, of_trial(found))
    again = trial(tmp_path, content.replace(b";trois;", b";3;"), "sales/ventes.refused.csv")
    assert again.passes and (again.rows, again.refused) == (1, 0)
    assert [u["header"] for u in again.detail["unused_columns"]] == ["libellé"]


def test_a_line_that_cannot_be_read_is_there_too(tmp_path: Path) -> None:
    text = FILE.replace("R3;1;", "R3;1;;;").replace("x€", "1")
    found = trial(tmp_path, text.encode())
    assert found.rejects == 1
    _, content = as_sent(io.BytesIO(text.encode()), found.detail, of_trial(found))
    assert b";R3;1;;;02/09/2026;A3;LYO;;4;18\r\n" in content


def test_json_keeps_its_records(tmp_path: Path) -> None:
    refused = [
        Refusal(2, "found 'x'", "quantity", "a number", "load/2", '{"sku": "Thé", "quantity": "x", "note": null}'),
        Refusal(3, "not JSON", "", "an object", "", '{"sku": '),
    ]  # fmt: skip
    ending, content = as_sent(io.BytesIO(), {"format": "json"}, refused)
    assert ending == "jsonl"
    first, second = content.decode().splitlines()
    assert first.endswith('"refused_row": "load/2", "sku": "Thé", "quantity": "x"}')
    assert second.endswith('"_original": "{\\"sku\\": "}')


def test_other_formats_become_a_table() -> None:
    refused = [Refusal(2, "quantity: found 'x'", "quantity", "a number", "load/2", '{"sku": "A", "quantity": "x"}')]
    ending, content = as_sent(io.BytesIO(), {"format": "workbook"}, refused)
    (row,) = csv.DictReader(io.StringIO(content.decode()))
    assert ending == "csv" and row["_column"] == "quantity" and row["sku"] == "A"


def test_the_page_escapes_what_a_sender_wrote() -> None:
    said: dict[str, Any] = {
        "object": "sales/<b>.csv", "load_id": "l", "feed": "sales", "landed_at": NOW, "state": "rejected",
        "message": "<script>alert(1)</script>", "read_as": [], "columns": [{"header": "<i>", "column": None}],
        "conventions": {}, "counts": {"records": 1, "loaded": 0, "superseded": 0, "quarantined": 0, "rejected": 1},
        "refused_by_reason": [], "first_refused": [], "kpis": [],
    }  # fmt: skip
    text = page(said)
    assert "<script>" not in text and "<i>" not in text and "&lt;b&gt;" in text and "not used" in text


def test_a_function_takes_the_rows_from_the_file_alone() -> None:
    """Where lines are records; otherwise the command has to make them, which may read the ledger's copies."""
    refused = [Refusal(1, "found 'x'", "quantity", "a number", "load/1"), Refusal(2, "not JSON", "", "an object")]
    lines = io.BytesIO(b'{"sku": "A", "quantity": "x"}\n{"sku": \n')
    made = from_the_file(lines, {"format": "json"}, refused)
    assert made is not None and made[0] == "jsonl"
    first, second = made[1].decode().splitlines()
    assert first.endswith('"refused_row": "load/1", "sku": "A", "quantity": "x"}')
    assert second.endswith('"_original": "{\\"sku\\":"}')
    assert from_the_file(io.BytesIO(b'[{"sku": "A"},\n{"sku": "B"}]'), {"format": "json"}, refused) is None
    assert from_the_file(io.BytesIO(b""), {"format": "workbook"}, refused) is None


def test_rows_of_a_zip_file_become_a_table(tmp_path: Path) -> None:
    """Its lines are those of its members: the file itself has none."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ventes.csv", FILE)
    found = trial(tmp_path, packed.getvalue(), "sales/ventes.zip")
    assert found.refused == 2 and found.detail["members"]
    packed.seek(0)
    assert from_the_file(packed, found.detail, of_trial(found)) is None
    whole = [replace(r, original='{"sku": "A2"}') for r in of_trial(found)]
    ending, content = as_sent(packed, found.detail, whole)
    assert ending == "csv" and [row["sku"] for row in csv.DictReader(io.StringIO(content.decode()))] == ["A2", "A2"]


def test_rows_of_two_files_of_a_zip_file_may_share_a_line(tmp_path: Path) -> None:
    """Each of them is told of, with the name of its file; and what was not read of the archive is, too."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", FILE)
        archive.writestr("b.csv", FILE.replace("trois", "quatre"))
        archive.writestr("README.txt", "hello")
    found = trial(tmp_path, packed.getvalue(), "sales/ventes.zip")
    told = of_trial(found)
    assert len(told) == found.rejects + len(found.first_refused)
    assert {r.error.split(":")[0] for r in told} == {"a.csv", "b.csv"}
    assert "not read of the zip file: README.txt (not data by its name)" in described(found.detail)
