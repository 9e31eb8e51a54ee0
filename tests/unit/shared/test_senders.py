"""Profiles of senders: what they declare holds for their files, and for no others."""

from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from cli.stale import Versions, recorded
from cli.trial.read import Trial, try_file
from functions.ingest.version import version as ingest_version
from functions.validate.version import version as validate_version
from stockflow.contracts import load_contracts
from stockflow.errors import PermanentError
from stockflow.senders import Sender, contract_of, load_sender, load_senders, sender_of
from stockflow.settings import bundle_root

CONTRACTS = load_contracts(bundle_root() / "contracts")
NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)


def profile(tmp_path: Path, text: str, name: str = "acme") -> Sender:
    path = tmp_path / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return load_sender(path)


def tried(tmp_path: Path, content: str | bytes, sender: Sender | None, name: str = "sales/acme/s.csv") -> Trial:
    path = tmp_path / "file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return try_file(path, name, CONTRACTS, NOW, [sender] if sender else [])


def sales(
    *rows: str, header: str = "receipt_number;line_number;location_code;business_date;sku;quantity;net_amount"
) -> str:
    return "\n".join((header, *rows)) + "\n"


def test_the_folder_below_the_feed_is_the_sender_unless_patterns_say_otherwise(tmp_path: Path) -> None:
    acme = profile(tmp_path, "timeZone: Asia/Tokyo\n")
    assert acme.owns("sales/acme/2026/a.csv")
    assert not acme.owns("sales/acme.csv") and not acme.owns("sales/other/acme.csv")
    tills = profile(tmp_path, "files: ['sales/till_?.csv', '*/tills/*']\n")
    assert tills.owns("sales/till_1.csv") and tills.owns("stock_counts/tills/x.csv")
    assert not tills.owns("sales/till_10.csv")


def test_a_file_of_two_senders_is_refused_and_names_both(tmp_path: Path) -> None:
    both = [profile(tmp_path, "files: ['sales/*']", "one"), profile(tmp_path, "files: ['*/a/*']", "two")]
    with pytest.raises(PermanentError, match=r"sales/a/x.csv.*one \(sales/\*\), two \(\*/a/\*\)") as caught:
        sender_of("sales/a/x.csv", both)
    assert caught.value.code == "ambiguous_sender"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("timezone: Europe/Paris", "acme.yaml: timezone: 'timezone' is not known; the nearest is 'timeZone'"),
        ("timeZone: Paris", "timeZone: found 'Paris', expected an IANA time zone"),
        ("encoding: cp9999", "encoding: found 'cp9999', expected an encoding"),
        ("dateOrder: ddmmyyyy", "dateOrder: found 'ddmmyyyy', expected dmy, mdy or ymd"),
        ("delimiter: '||'", "delimiter: found '||', expected one character"),
        ("headerLine: 0", "headerLine: found 0, expected a line number"),
        ("defaults: {location_code: 7}", "defaults: found {'location_code': 7}, expected column: value"),
        ("feeds: {sales: {sheat: A}}", "feeds.sales.sheat: 'sheat' is not known; the nearest is 'sheet'"),
        ("files: sales/*", "files: found 'sales/*', expected a list of patterns"),
        ("- a", "expected keys such as timeZone"),
        ("a: [", "it is not valid YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_file_its_key_and_what_was_expected(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PermanentError) as caught:
        profile(tmp_path, text)
    assert caught.value.code == "bad_sender" and said in caught.value.message


def test_a_column_that_the_feed_does_not_have_is_named_with_the_nearest(tmp_path: Path) -> None:
    acme = profile(tmp_path, "feeds: {sales: {headers: {Menge: quantiti}}}")
    with pytest.raises(PermanentError, match="'quantiti' is not known; the nearest is 'quantity'"):
        contract_of(CONTRACTS["sales"], acme)
    assert contract_of(CONTRACTS["products"], acme).feed == "products"


def test_declared_conventions_win_over_what_a_file_seems_to_say(tmp_path: Path) -> None:
    """1,500 pieces and the 5th of September by its values alone; declared, 1.5 and the 9th of May."""
    file = sales("R1;1;S1;09/05/2026;A1;1,500;10,250")
    alone = tried(tmp_path, file, None)
    assert (alone.end_state, alone.reason_code) == ("held", "ambiguous_date_order")
    acme = profile(tmp_path, "decimalMark: ','\ndateOrder: dmy\n")
    told = tried(tmp_path, file, acme)
    assert told.passes
    assert told.conventions["decided_by"] == {"decimal mark": "sender profile", "date order": "sender profile"}
    read = {c["column"]: c["read_as"] for c in told.columns}
    assert (read["quantity"], read["net_amount"], read["business_date"]) == ("1.5", "10.25", "2026-05-09")


def test_a_value_that_cannot_be_read_as_declared_is_refused_not_reinterpreted(tmp_path: Path) -> None:
    acme = profile(tmp_path, "dateOrder: mdy\n")
    told = tried(tmp_path, sales("R1;1;S1;09/05/2026;A1;1;1", "R2;1;S1;25/09/2026;A1;1;1"), acme)
    assert told.refused == 1 and told.first_refused[0]["value"] == "25/09/2026"
    assert told.conventions["contradictions"] == ["date order: the sender's profile says mdy, 1 values say dmy"]


def test_the_profile_reaches_only_its_own_files(tmp_path: Path) -> None:
    acme = profile(tmp_path, "decimalMark: ','\ndateOrder: mdy\n")
    other = tried(tmp_path, sales("R1;1;S1;25/09/2026;A1;1.5;1"), acme, "sales/other/s.csv")
    assert other.passes and other.conventions["date_order"] == "dmy"


def test_encoding_delimiter_header_line_headers_and_defaults(tmp_path: Path) -> None:
    acme = profile(
        tmp_path,
        "encoding: cp850\ndelimiter: '|'\nheaderLine: 2\ndefaults: {location_code: S07, currency: EUR}\n"
        "feeds: {sales: {headers: {Menge: quantity, Netto: net_amount, Artikelnr: sku}}}\n",
    )
    lines = [
        "sku,quantity,sku,quantity|x",
        "receipt_number|line_number|business_date|Artikelnr|Menge|Netto",
        "Ré1|1|2026-09-25|A1|2|3",
    ]
    told = tried(tmp_path, "\n".join(lines).encode("cp850"), acme)
    assert told.passes, told.message
    assert told.detail["encoding"] == "cp850" and told.detail["header_line"] == 2
    assert told.detail["from_sender"] == {"location_code": "S07", "currency": "EUR"}
    assert {c["header"]: c["column"] for c in told.columns}["Menge"] == "quantity"
    assert next(c["example"] for c in told.columns if c["column"] == "receipt_number") == "Ré1"


def test_a_stated_column_is_never_replaced_by_a_default(tmp_path: Path) -> None:
    acme = profile(tmp_path, "defaults: {location_code: S07}\n")
    told = tried(tmp_path, sales("R1;1;;2026-09-25;A1;1;1"), acme)
    assert told.refused == 1 and "from_sender" not in told.detail


def test_records_of_json_take_defaults_and_headers_too(tmp_path: Path) -> None:
    acme = profile(tmp_path, "defaults: {location_code: S07}\nfeeds: {sales: {headers: {Menge: quantity}}}\n")
    row = '{"receipt_number":"R1","line_number":1,"business_date":"2026-09-25","sku":"A1","Menge":2,"net_amount":3}\n'
    told = tried(tmp_path, row, acme, "sales/acme/s.jsonl")
    assert told.passes and told.detail["from_sender"] == {"location_code": "S07"}


def test_the_sheet_of_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for number, title in enumerate(("Plan", "Actual")):
        sheet = book.create_sheet(title, number)
        sheet.append(
            ["receipt_number", "line_number", "location_code", "business_date", "sku", "quantity", "net_amount"]
        )
        sheet.append([title, 1, "S1", "2026-09-25", "A1", 1, 1])
    path = tmp_path / "book.xlsx"
    book.save(path)
    assert tried(tmp_path, path.read_bytes(), None, "sales/acme/b.xlsx").reason_code == "several_data_sheets"
    told = tried(tmp_path, path.read_bytes(), profile(tmp_path, "sheet: actual\n"), "sales/acme/b.xlsx")
    assert told.passes and told.detail["sheet"] == "Actual"
    wrong = tried(tmp_path, path.read_bytes(), profile(tmp_path, "sheet: Budget\n"), "sales/acme/b.xlsx")
    assert wrong.reason_code == "sheet_not_found" and "'Plan', 'Actual'" in (wrong.message or "")


def test_local_times_are_of_the_senders_zone(tmp_path: Path) -> None:
    tokyo = contract_of(CONTRACTS["sales"], profile(tmp_path, "timeZone: Asia/Tokyo\n"))
    assert tokyo.time_zone == "Asia/Tokyo" != CONTRACTS["sales"].time_zone


def test_a_profile_makes_versions_of_its_own_for_its_files_only(tmp_path: Path) -> None:
    acme = profile(tmp_path, "timeZone: Asia/Tokyo\n")
    plain = CONTRACTS["sales"]
    versions = Versions(
        {("ingest", "sales"): ingest_version(plain), ("validate", "sales"): validate_version(plain)},
        CONTRACTS, (acme,),
    )  # fmt: skip
    own = contract_of(plain, acme)
    assert versions.of("ingest", "sales", "sales/acme/a.csv") == ingest_version(own) != ingest_version(plain)
    assert versions.of("validate", "sales", "sales/acme/a.csv") == validate_version(own) != validate_version(plain)
    assert versions.of("ingest", "sales", "sales/b.csv") == ingest_version(plain)
    sql, params = recorded((acme,))
    assert params == {"files_0": acme.pattern, "sender_0": "acme"} and "CASE WHEN" in sql


def test_the_profiles_of_this_checkout_are_valid() -> None:
    for sender in load_senders(bundle_root() / "contracts"):
        for contract in CONTRACTS.values():
            contract_of(contract, sender)
