"""The header names that the feeds share stand in one place, and mean one thing in each feed."""

from pathlib import Path

import pytest
import yaml

from stockflow.contracts import load_contract, load_contracts, normalise_header
from stockflow.errors import PermanentError
from stockflow.settings import bundle_root
from stockflow.vocabulary import meanings
from tests.unit.ingest.reading import read

FOLDER = bundle_root() / "contracts"
CONTRACTS = load_contracts(FOLDER)


@pytest.mark.parametrize("name", sorted(meanings()))
def test_a_meaning_names_each_header_once_and_is_used(name: str) -> None:
    found = meanings()[name]
    headers = [normalise_header(n) for n in found.names]
    assert sorted(headers) == sorted(set(headers))
    assert set(found.weak) <= set(found.names)
    assert [c.feed for c in CONTRACTS.values() if any(name in col.vocabulary for col in c.columns)]


@pytest.mark.parametrize("feed", sorted(CONTRACTS))
def test_a_contract_repeats_nothing_of_the_vocabulary(feed: str) -> None:
    document = yaml.safe_load((FOLDER / f"{feed}.yaml").read_text(encoding="utf-8"))
    for column in document["schema"][0]["properties"]:
        custom = {p["property"]: p["value"] for p in column.get("customProperties") or []}
        taken = CONTRACTS[feed].column(column["name"]).vocabulary
        common = {normalise_header(n) for m in taken for n in meanings()[m].names}
        assert [a for a in custom.get("aliases") or [] if normalise_header(a) in common] == [], column["name"]


def test_what_is_written_the_same_in_two_contracts_belongs_into_the_vocabulary() -> None:
    """At most a few words of a column stand in all contracts that have it."""
    for name in ("sku", "location_code", "unit_cost", "currency", "line_number", "unit", "updated_at", "supplier_code"):
        own = []
        for contract in CONTRACTS.values():
            for column in (c for c in contract.stated if c.name == name):
                common = {normalise_header(n) for m in column.vocabulary for n in meanings()[m].names}
                own.append({normalise_header(a) for a in column.aliases} - common)
        assert len(own) > 1, name
        assert len(set.intersection(*own)) <= 3, name


def test_a_meaning_that_is_not_there_is_named(tmp_path: Path) -> None:
    text = (FOLDER / "sales.yaml").read_text(encoding="utf-8").replace("value: line_number}", "value: line_numbr}")
    (tmp_path / "sales.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PermanentError, match="'line_numbr' is none of"):
        load_contract(tmp_path / "sales.yaml")


@pytest.mark.parametrize(
    "header",
    [
        "Datum;Artikel-Nr.;Filiale;Bestand;Mengeneinheit;Währung",
        "Fecha;Código de artículo;Almacén;Existencias;Unidad;Moneda",
        "Data;Codice articolo;Magazzino;Giacenza;Unità di misura;Valuta",
        "DATE;MATNR;WERKS;LABST;MEINS;WAERS",
        "Date;ItemId;InventLocationId;Physical inventory;Unit;Currency",
        "date;SK;location;OH;uom;ccy",
    ],
)
def test_a_stock_list_of_each_language_and_system_is_read(header: str) -> None:
    text = f"{header}\n2026-09-01;A-1;LYO;12;ST;EUR\n"
    (row,) = read(text.encode(), "stock_snapshots", "stock_snapshots/x.csv").rows
    found = [row[n] for n in ("business_date", "sku", "location_code", "on_hand", "unit", "currency")]
    assert found == ["2026-09-01", "A-1", "LYO", "12", "ST", "EUR"]
