"""Personal data stays out of the ledger: a message about a file says nothing that may be somebody's."""

import io

import pytest

from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Facts, Target
from stockflow.contracts import load_contracts
from stockflow.errors import PermanentError
from stockflow.settings import bundle_root

CONTRACTS = load_contracts(bundle_root() / "contracts")
PERSON = ("S1", "Acme", "Jane Doe", "jane@acme.example", "+33 6 12 34 56 78")


def read(feed: str, text: str, name: str = "file.csv") -> Facts:
    facts = Facts()
    list(decode(io.BytesIO(text.encode()), Target(CONTRACTS[feed], f"{feed}/{name}"), facts, 10**6))
    return facts


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_file_of_suppliers_without_a_header_is_refused_without_their_data(mark: str) -> None:
    """Its first row would be taken for the header."""
    with pytest.raises(PermanentError) as refused:
        read("suppliers", mark.join(PERSON) + "\n" + mark.join(PERSON) + "\n")
    said = f"{refused.value.message} {refused.value.facts}"
    assert [cell for cell in PERSON if len(cell) > 2 and cell in said] == []
    assert "no header for 'supplier_code'" in said


def test_keys_of_json_that_nobody_knows_are_not_shown() -> None:
    with pytest.raises(PermanentError) as refused:
        read("suppliers", '{"jane@acme.example": "x", "Name": "Acme"}\n', "file.jsonl")
    assert "jane@" not in f"{refused.value.message} {refused.value.facts}"
    assert "'Name'" in refused.value.message


def test_lines_above_the_header_are_counted_and_not_kept() -> None:
    facts = read("suppliers", "contact list of jane@acme.example\nsupplier_code,name\nS1,Acme\n")
    assert "jane@" not in str(facts.values)
    assert facts.values["preamble_lines"] == 1


def test_headers_of_other_feeds_are_shown_as_they_are() -> None:
    """Without personal columns the person who sent the file sees at once what was found."""
    with pytest.raises(PermanentError) as refused:
        read("stock_snapshots", "Artikel,Lager\nA,B\n")
    assert "'Artikel', 'Lager'" in refused.value.message
