"""A person is found as files state them: in other letters, with other blanks, within a text; nobody else is."""

import pytest

from cli.erase.command import find, parameters, remove
from cli.erase.places import personal_columns, places, plain
from cli.output import CommandError
from local.in_process import rows
from stockflow.contracts import load_contracts
from stockflow.errors import TransientError
from stockflow.schema import pipeline
from stockflow.settings import bundle_root
from tests.bigquery.recorder import RecordedServices

CONTRACTS = load_contracts(bundle_root() / "contracts")


@pytest.mark.parametrize(
    ("person", "text", "is_there"),
    [
        ("Claire Fabre", "S1;CLAIRE  FABRE;x", True),
        ("Claire Fabre", "the desk of claire fabre.", True),
        ("Élodie Noël", '{"contact_name": "ÉLODIE NOËL", "x": "y"}', True),
        ("+33 4 72 00 01 02", "tel: +33472000102", True),
        ("Claire Fabre", "Claire Fabregas", False),
        ("Anne Roy", "Marianne Roy", False),
        ("ann@b.example", "joann@b.example", False),
        ("ann@b.example", "<ann@b.example>", True),
        ("header", '{"header": ["a"]}', False),
        ("header", '["header"]', True),
    ],
)
def test_within_a_text(person: str, text: str, is_there: bool) -> None:
    asked = parameters(person)["pattern"]
    (found,) = rows(f"SELECT REGEXP_CONTAINS('{text}', r'''{asked}''') AS found")
    assert bool(found["found"]) is is_there


def test_a_key_without_what_tells_nothing() -> None:
    assert plain(" Claire  FABRE ") == "clairefabre"
    assert plain("+33 (4) 72/00 01 02") == "+33472000102"
    assert plain("Claire.Fabre@One.example") == "claire.fabre@one.example" != plain("clairefabre@one.example")


def test_a_short_key_is_refused() -> None:
    with pytest.raises(CommandError, match="too short: expected at least 4 letters and digits"):
        parameters("J. P")


def test_every_column_that_is_tagged_is_searched() -> None:
    """Each column that a contract or pipeline.yaml tags as personal is overwritten in each table that has it."""
    wanted = {
        (f"inventory_{dataset}", column)
        for feed, contract in CONTRACTS.items()
        for column in personal_columns(contract)
        for dataset in (f"raw.{feed}", f"curated.{feed}", f"curated.{feed}_history")
    }
    wanted |= {
        (f"inventory_ops.{name}", column["name"])
        for name, table in pipeline()["ops_tables"].items()
        for column in table["columns"]
        if column.get("pii")
    }
    erased = {(place.table, column) for place in places(CONTRACTS) for column in place.columns}
    assert wanted and wanted - erased == set()


def test_no_key_of_a_feed_is_personal() -> None:
    """Rows are found by their keys: one that is overwritten would be another row."""
    assert [f for f, c in CONTRACTS.items() if set(c.key) & set(personal_columns(c))] == []


def test_what_is_refused_is_listed_and_the_rest_is_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a table whose rows were streamed just now, the others are erased, and the refusal is told."""
    services, asked = RecordedServices("erase", {"AS `rows` FROM": [{"rows": 1}]}), parameters("Claire Fabre")
    found, query = find(services, asked), services.warehouse.query

    def refusing(sql: str, params: dict[str, str]) -> list[dict[str, str]]:
        if sql.startswith("UPDATE inventory_ops.reject_rows"):
            raise TransientError("query_failed", "rows in the streaming buffer")
        done: list[dict[str, str]] = query(sql, params)
        return done

    monkeypatch.setattr(services.warehouse, "query", refusing)
    assert remove(services, asked, found) == [
        {"table": "inventory_ops.reject_rows", "message": "rows in the streaming buffer"}
    ]
    changed = {s.sql.split()[1] for s in services.statements if s.sql.startswith("UPDATE")}
    assert changed == {place.table for place in places(CONTRACTS)} - {"inventory_ops.reject_rows"}
