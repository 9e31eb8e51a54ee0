"""A proposed mapping is held with its confidence until one command accepts it for the sender."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from cli import sender
from cli.output import CommandError
from cli.profile_text import with_headers
from cli.trial.read import try_file
from stockflow.contracts import load_contracts
from stockflow.senders import load_senders
from stockflow.settings import bundle_root
from tests.unit.shared.test_senders import NOW

HEADERS = {"Net Amnt": "net_amount", "Menge: Stück": "quantity"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# ours\ntimeZone: Europe/Berlin  # theirs\n",
        "feeds:\n    # a comment\n    sales:\n        encoding: cp1252\n    products:\n        sheet: A\n",
        "feeds:\n  sales:\n    headers:  # known\n      'Art': sku\n\n    encoding: cp1252\n# end\n",
        "feeds:\n  products:\n    headers:\n      Art: sku\n",
    ],
)
def test_what_a_person_wrote_stays(text: str) -> None:
    changed = with_headers(text, "sales", HEADERS)
    left = changed.splitlines()
    assert [line for line in text.splitlines() if line not in left] == []
    before, after = yaml.safe_load(text) or {}, yaml.safe_load(changed)
    assert HEADERS.items() <= after["feeds"]["sales"]["headers"].items()
    assert before.get("timeZone") == after.get("timeZone")
    assert (before.get("feeds") or {}).get("products") == after["feeds"].get("products")


def test_a_profile_that_cannot_be_added_to_is_left_alone() -> None:
    with pytest.raises(CommandError, match=r"add by hand:\nfeeds:\n  sales:\n    headers:"):
        with_headers("feeds: {sales: {headers: {Art: sku}}}\n", "sales", HEADERS)


def test_a_proposal_counts_from_when_it_is_accepted(tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    folder.mkdir()
    for path in (bundle_root() / "contracts").glob("*.yaml"):
        (folder / path.name).write_bytes(path.read_bytes())
    file = tmp_path / "sales_2026-09-25.csv"
    file.write_text("receipt_number;line_number;location_code;business_date;sku;quantity;Net Amnt;Colour\n"
                    "R1;1;S1;2026-09-25;A1;1;10.50;7\n")  # fmt: skip
    contracts = load_contracts(folder)
    trial = try_file(file, f"sales/acme/{file.name}", contracts, NOW)
    proposed = {u["header"]: (u["nearest"], u.get("confidence")) for u in trial.detail["unused_columns"]}
    assert proposed["Colour"] == (None, None) and proposed["Net Amnt"][0] == "net_amount"
    assert 0.75 <= proposed["Net Amnt"][1] <= 1

    command = ["accept", "acme", "--from", str(file), "--feed", "sales", "--folder", str(folder)]
    other = CliRunner().invoke(sender.app, [*command, "--header", "Colour"])
    assert isinstance(other.exception, CommandError) and "proposed: 'Net Amnt' (net_amount" in str(other.exception)
    assert CliRunner().invoke(sender.app, command).exit_code == 0

    (acme,) = load_senders(folder)
    assert acme.declared("sales")["headers"] == {"Net Amnt": "net_amount"}
    accepted = try_file(file, f"sales/acme/{file.name}", contracts, NOW, [acme])
    assert {c["header"]: c["column"] for c in accepted.columns}["Net Amnt"] == "net_amount"
    assert [u["header"] for u in accepted.detail["unused_columns"]] == ["Colour"]
