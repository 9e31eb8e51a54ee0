"""What `stockflow try` says of a file is what ingest and validate do with it; it needs no stack."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main
from cli.output import CommandError
from cli.trial.command import trial_of
from cli.trial.read import Trial, try_file
from cli.trial.tell import tell
from stockflow.contracts import load_contracts

ROOT = Path(__file__).parents[3]
CONTRACTS = load_contracts(ROOT / "contracts")
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
SALES = "ticket;ligne;date;article;magasin;qté;montant net;devise\n"


def tried(folder: Path, text: str, name: str = "my.csv", feed: str = "sales") -> Trial:
    """Return what would become of a text file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return try_file(path, f"{feed}/{name}", CONTRACTS, NOW)


def test_a_file_is_read_judged_and_explained(tmp_path: Path) -> None:
    """Given a good row, a number in words and a short line, each is named by line, column and rule."""
    rows = "M-1;1;31/10/2026;22E1;LYO;2;39,80;EUR\nM-1;2;31/10/2026;00417;LYO;deux;17,80;EUR\nM-1;3;31/10/2026\n"
    trial = tried(tmp_path, SALES + rows)
    assert (trial.end_state, trial.lines, trial.rows, trial.rejects, trial.refused) == ("loaded", 3, 2, 1, 1)
    assert [(r["line"], r["code"]) for r in trial.first_rejects] == [(4, "wrong_width")]
    assert [(r["line"], r["column_name"], r["value"], r["rule"]) for r in trial.first_refused] == [
        (3, "quantity", "deux", "quantity_type")
    ]
    assert trial.conventions["decimal_mark"], trial.conventions["date_order"] == (",", "dmy")
    amount = next(c for c in trial.columns if c["column"] == "net_amount")
    assert (amount["header"], amount["example"], amount["read_as"]) == ("montant net", "39,80", "39.8")


def test_a_header_that_no_alias_knows_is_named_with_the_nearest_column(tmp_path: Path) -> None:
    trial = tried(tmp_path, "sku,store,date,qty,Net Amnt,ticket,line\nA,LYO,2026-10-31,1,9.90,T1,1\n")
    assert {c["header"]: c["nearest"] for c in trial.columns if c["column"] is None} == {"Net Amnt": "net_amount"}
    assert "net_amount" in trial.detail["absent_measures"]


def test_dates_that_can_be_read_two_ways_hold_the_file(tmp_path: Path) -> None:
    trial = tried(tmp_path, SALES + "M-1;1;05/10/2026;22E1;LYO;2;39;EUR\n")
    assert (trial.end_state, trial.reason_code) == ("held", "ambiguous_date_order")


def test_numbers_that_can_be_read_two_ways_are_read_as_the_delimiter_says(tmp_path: Path) -> None:
    """Given kilograms with three decimals between semicolons and nothing else, 1,500 is one and a half."""
    trial = tried(tmp_path, SALES + "M-1;1;31/10/2026;22E1;LYO;1,500;;EUR\n")
    assert next(c["read_as"] for c in trial.columns if c["column"] == "quantity") == "1.5"
    assert trial.conventions["doubts"] == [
        "decimal mark: 1 value could be read two ways (1,500 is 1.500 or 1500), the delimiter says ,"
    ]


def test_a_number_that_nothing_proves_is_a_warning_with_what_settles_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(tried(tmp_path, SALES.replace(";", ",") + 'M-1,1,31/10/2026,22E1,LYO,"1,045",,EUR\n'))
    said = " ".join(capsys.readouterr().out.split())
    assert "warning: decimal mark: 1 value could be read two ways (1,045 is 1.045 or 1045), the contract" in said
    assert "`decimalMark` or `dateOrder` in the sender's profile settles it" in said


def test_a_marker_is_ignored_with_the_reason(tmp_path: Path) -> None:
    assert (trial := tried(tmp_path, "", "_SUCCESS")).end_state == "ignored"
    assert trial.reason_code == "marker"


@pytest.mark.parametrize(
    ("control", "content", "end"),
    [
        ("my.csv.ctl", "rows=1", "loaded"),
        ("my.done", "2", "loaded"),
        ("my.csv.ctl", "rows=3", "control_count"),
        ("SHA256SUMS", f"{'0' * 64} *my.csv\n", "control_checksum"),
        ("other.csv.ctl", "rows=9", "loaded"),
    ],
)
def test_a_control_file_beside_is_compared(tmp_path: Path, control: str, content: str, end: str) -> None:
    (tmp_path / control).write_text(content)
    trial = tried(tmp_path, SALES + "M-1;1;31/10/2026;22E1;LYO;2;39;EUR\n")
    assert (trial.reason_code or trial.end_state) == end
    counts = {"1": ["records"], "2": ["records and header", "lines"]}.get(content[-1])
    assert trial.detail.get("control_counts") == (counts if end == "loaded" else None)


CASES = sorted(p.parent for p in (ROOT / "tests/corpus").glob("*/expected.yaml"))
CASES = [c for c in CASES if "declared:" not in (c / "expected.yaml").read_text(encoding="utf-8")]
TEXTS = [c for c in CASES if not list(c.glob("*.xls*")) and not list(c.glob("*.ods")) and not list(c.glob("*.parquet"))]


def test_what_the_corpus_expects_is_what_a_trial_says() -> None:
    """Each sixth text file: the same code when it is refused, the same number of rows and rejects if not."""
    wrong = {}
    for case in TEXTS[::6]:
        expected = yaml.safe_load((case / "expected.yaml").read_text(encoding="utf-8"))
        name = expected.get("object", f"{expected['feed']}/{expected['file']}")
        trial = try_file(case / expected["file"], name, CONTRACTS, NOW)
        if found := _differences(trial, expected):
            wrong[case.name] = found
    assert wrong == {}
    assert len(TEXTS[::6]) > 15


def _differences(trial: Trial, expected: dict[str, Any]) -> Any:
    if code := expected.get("refused"):
        return trial.reason_code if (trial.end_state, trial.reason_code) != ("rejected", code) else None
    found = (trial.rows, trial.rejects)
    return found if found != (len(expected["rows"]), len(expected["rejects"])) else None


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    """Run the command; return its exit code and what it printed."""
    monkeypatch.setattr(sys, "argv", ["stockflow", "try", *args])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0), capsys.readouterr().out


def test_the_command_answers_people_and_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0 for a file that goes on, 1 for one that does not; the reason is in both answers."""
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(SALES + "M-1;1;31/10/2026;22E1;LYO;2;39,80;EUR\n")
    bad.write_text("ticket;ligne;date;article;qté\nM-1;1;31/10/2026;22E1;2\n")
    code, said = run(monkeypatch, capsys, str(good), "--feed", "sales")
    assert (code, "would be loaded: 1 of 1 rows" in said, "decimal comma (values)" in said) == (0, True, True)
    code, said = run(monkeypatch, capsys, str(bad), "--feed", "sales", "--json")
    answer = json.loads(said)
    assert (code, answer["end_state"], answer["reason_code"]) == (1, "rejected", "key_columns_present")
    assert "no header for 'location_code'" in answer["message"]


@pytest.mark.parametrize(
    ("name", "text", "feed", "why"),
    [
        ("my.csv", SALES + "M-1;1;31/10/2026;22E1;LYO;2;39,80;EUR\n", "sales", "sales knows 8 of 8 headers"),
        ("my.jsonl", '{"code": "F1", "vendor name": "Durand", "email": "a@b.fr"}\n', "suppliers",
         "suppliers knows 3 of 3"),
        ("x.edi", "UNB+UNOC:3+A+B+260901:0800+9'UNH+1+INVRPT:D:96A:UN'BGM+35+1+9'DTM+366:20260901:102'NAD+WH+LYO'"
         "LIN+1++A-1:IN'QTY+145:1'UNT+7+1'UNZ+1+9'", "stock_snapshots", "stock_snapshots knows 4 of 4"),
    ],
)  # fmt: skip
def test_the_feed_is_told_by_the_headers(tmp_path: Path, name: str, text: str, feed: str, why: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    trial = trial_of(path, "")
    assert trial.feed == feed
    assert (trial.guessed or "").startswith(why)


def test_headers_that_several_feeds_know_alike_are_left_to_the_sender(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("date;sku;store;quantity\n31/10/2026;22E1;LYO;2\n", encoding="utf-8")
    with pytest.raises(CommandError, match=r"stock_counts knows 4 of 4 headers; stock_snapshots knows 4 of 4 headers"):
        trial_of(path, "")


def test_headers_that_no_feed_knows_are_named_with_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("date;sku;colour\n31/10/2026;22E1;red\n", encoding="utf-8")
    with pytest.raises(CommandError, match=r"knows 2 of 3 headers, but not location_code"):
        trial_of(path, "")
