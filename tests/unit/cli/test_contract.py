"""`contract check` names each fault with its line; what `contract new` proposes passes it and reads its file."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.contract.check import check_file
from cli.contract.propose import Proposal, propose
from cli.main import main
from cli.trial.read import try_file
from stockflow.contracts import load_contract, load_contracts
from stockflow.errors import PermanentError

ROOT = Path(__file__).parents[3]
SALES = ROOT / "contracts" / "sales.yaml"
CONTRACTS = load_contracts(ROOT / "contracts")
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
PRICES = """Ware;Gültig ab;SKU neu;Preis brutto;EAN;Bezirk
0042;01.09.2026;A;12,50;4006381333931;LYO
0043;25.09.2026;B;3,20;4006381333931;LYO
0043;25.09.2026;B;3,20;;GVA
"""


def with_change(folder: Path, old: str, new: str) -> Path:
    """Return a copy of the contract of sales with one change."""
    text = SALES.read_text(encoding="utf-8")
    assert old in text
    path = folder / "sales.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_contracts_of_the_project_are_faultless() -> None:
    assert [f for path in (ROOT / "contracts").glob("*.yaml") for f in check_file(path)] == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("primaryKey: true", "primarykey: true", "`primarykey` is not a key"),
        ("severity: critical", "severity: critcal", "'critcal' is not one of critical, warning, load"),
        ("property: aliases", "property: alias", "did you mean aliases?"),
        ("property: businessDate, value: business_date", "property: businessDate, value: busines_date",
         "no column 'busines_date'; did you mean business_date?"),
        ("expect_column_values_to_be_between", "expect_column_value_to_be_between",
         "did you mean expect_column_values_to_be_between?"),
        ("max_days: 1", "max_day: 1", "needs `max_days`"),
        ("logicalType: integer", "logicalType: int", "'int' is not one of string, integer"),
        ("physicalType: table", "physicalType: table\n    physicalType: view", "written twice"),
        ("schema:", "schema", "not YAML"),
        ("kind: DataContract", "kind: DataContract\n- x", "not YAML"),
        ("- name: sales\n", "- name: sale\n", "expected the same name"),
        ("dateOrder, value: dmy", "timeZone, value: Europe/Pariss", "not an IANA time zone"),
        ("dateOrder, value: dmy", "maxJump, value: 1", "maxJump: 1 is not a factor above 1"),
        ("dateOrder, value: dmy", "keepFilesDays, value: 7", "keepFilesDays: 7 is not a number of days, from 31"),
        ("dateOrder, value: dmy", "maxRefusedShare, value: 20%", "'20%' is not a share of the rows, from 0 to 1"),
    ],
)  # fmt: skip
def test_a_fault_is_said_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Given one mistake, the first fault says what was meant; but for syntax, it is in the line that was changed."""
    path = with_change(tmp_path, old, new)
    faults = check_file(path)
    assert any(said in f.message for f in faults), faults
    changed = SALES.read_text(encoding="utf-8")[: SALES.read_text(encoding="utf-8").index(old)].count("\n") + 1
    assert any(abs(f.line - changed) <= 1 for f in faults) or "YAML" in said or "zone" in said


def test_a_bound_that_yaml_takes_for_text_is_found(tmp_path: Path) -> None:
    """``1e-06`` is a text in YAML 1.1."""
    text = (ROOT / "contracts/exchange_rates.yaml").read_text(encoding="utf-8").replace("0.000001", "1e-06")
    path = tmp_path / "exchange_rates.yaml"
    path.write_text(text, encoding="utf-8")
    assert ["write 0.000001" in f.message for f in check_file(path)] == [True]


def proposed(folder: Path, source: Path, feed: str) -> tuple[Proposal, Path]:
    """Return a proposal and where it is written."""
    proposal = propose(source, feed, CONTRACTS)
    path = folder / f"{feed}.yaml"
    path.write_text(proposal.text(), encoding="utf-8")
    return proposal, path


def test_a_proposal_explains_itself_and_passes_the_check(tmp_path: Path) -> None:
    """Codes with leading zeros stay text, dates and decimals are found, the key is the fewest columns that tell."""
    source = tmp_path / "prices.csv"
    source.write_text(PRICES, encoding="utf-8")
    proposal, path = proposed(tmp_path, source, "price_changes")
    assert check_file(path) == []
    contract = load_contract(path)
    assert {c.name: c.logical_type for c in contract.columns} == {
        "ware": "string", "gultig_ab": "date", "sku_neu": "string", "preis_brutto": "number", "gtin": "string",
        "bezirk": "string",
    }  # fmt: skip
    assert (contract.key, contract.business_date) == (("ware", "bezirk"), "gultig_ab")
    assert any("'Ware' is ware: string, since a value begins with a zero" in g for g in proposal.guesses)
    trial = try_file(source, "price_changes/prices.csv", {"price_changes": contract}, NOW)
    assert (trial.end_state, trial.rows, trial.refused) == ("loaded", 3, 0)


@pytest.mark.parametrize(
    "sample", ["sales/ventes_2026-S37.csv", "sales/sales_2026-W38.jsonl", "products/products_2026-08-28.csv"]
)
def test_a_proposal_reads_the_file_that_it_comes_from(tmp_path: Path, sample: str) -> None:
    """Given a file of the sample shop as a feed of its own, each of its rows fits the contract that it suggests."""
    source = ROOT / "samples" / sample
    _, path = proposed(tmp_path, source, "own_feed")
    assert check_file(path) == []
    trial = try_file(source, f"own_feed/{source.name}", {"own_feed": load_contract(path)}, NOW)
    assert (trial.rows > 0, trial.refused, trial.end_state) == (True, 0, "loaded")


def test_a_proposal_keeps_the_booleans_of_its_file(tmp_path: Path) -> None:
    """A column of texts would refuse them."""
    source = tmp_path / "flags.jsonl"
    source.write_text('{"ware": "A", "day": "2026-09-01", "on_sale": true}\n{"ware": "B", "day": "2026-09-01"}\n')
    proposal, path = proposed(tmp_path, source, "flags")
    assert check_file(path) == []
    contract = load_contract(path)
    assert contract.column("on_sale").logical_type == "boolean"
    assert any("on_sale: boolean, each value is true or false" in g for g in proposal.guesses)
    trial = try_file(source, "flags/flags.jsonl", {"flags": contract}, NOW)
    assert (trial.end_state, trial.rows, trial.refused) == ("loaded", 2, 0)


def test_a_file_without_rows_suggests_nothing(tmp_path: Path) -> None:
    source = tmp_path / "x.csv"
    source.write_text("a,b\n")
    with pytest.raises(PermanentError, match="no row"):
        propose(source, "x", CONTRACTS)


def test_the_commands_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A proposal is written once, then checked; a fault gives exit code 1 and file:line."""
    source = tmp_path / "prices.csv"
    source.write_text(PRICES, encoding="utf-8")
    to = str(tmp_path / "price_changes.yaml")

    def run(*args: str) -> int:
        monkeypatch.setattr(sys, "argv", ["stockflow", "contract", *args])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    assert run("new", "--from", str(source), "--feed", "price_changes", "--to", to) == 0
    assert run("new", "--from", str(source), "--feed", "price_changes", "--to", to) == 1
    assert (run("check", to), run("check")) == (0, 0)
    capsys.readouterr()
    bad = with_change(tmp_path, "primaryKey: true", "primarykey: true")
    assert run("check", str(bad)) == 1
    assert f"{bad}:42: `primarykey`" in capsys.readouterr().out
