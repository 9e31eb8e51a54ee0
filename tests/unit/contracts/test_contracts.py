"""The contracts: valid as the standard says, unambiguous, and saying the same as the SQL that reads them."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft201909Validator
from open_data_contract_standard import model
from open_data_contract_standard.model import OpenDataContractStandard

from stockflow.contracts import Contract, load_contract, load_contracts, normalise_header
from stockflow.errors import PermanentError
from stockflow.schema import pipeline
from stockflow.settings import bundle_root

FOLDER = bundle_root() / "contracts"
ROUTINES = bundle_root() / "warehouse" / "routines" / "inventory_curated"
CONTRACTS = load_contracts(FOLDER)
STANDARD = json.loads((Path(model.__file__).parent / "schema.json").read_text(encoding="utf-8"))
FACTS = {"stock_snapshots", "stock_movements", "sales", "purchase_orders", "stock_counts", "exchange_rates",
         "customer_orders"}  # fmt: skip
DIMENSIONS = {"products", "locations", "suppliers"}


def each_contract() -> Any:
    return pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS.keys())


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda p: p.stem)
def test_each_is_a_valid_open_data_contract(path: Path) -> None:
    """Both the published JSON schema and the standard's own package accept it."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    errors = [f"{list(e.absolute_path)}: {e.message}" for e in Draft201909Validator(STANDARD).iter_errors(document)]
    assert errors == []
    assert OpenDataContractStandard(**document).kind == "DataContract"


def test_a_contract_is_read_once_and_again_when_its_file_changes(tmp_path: Path) -> None:
    """What a process loads again and again costs it once; another text is another contract."""
    path, text = tmp_path / "sales.yaml", (FOLDER / "sales.yaml").read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    assert load_contract(path) is CONTRACTS["sales"]
    path.write_text(f"{text}# changed\n", encoding="utf-8")
    assert load_contract(path).fingerprint != CONTRACTS["sales"].fingerprint


def test_the_ten_feeds_of_the_project_are_there() -> None:
    """Seven facts and three dimensions; the KPIs read them by name. More feeds may stand beside them."""
    assert CONTRACTS.keys() >= FACTS | DIMENSIONS
    assert all(CONTRACTS[f].properties["kind"] == "fact" for f in FACTS)
    assert all(CONTRACTS[f].properties["kind"] == "dimension" for f in DIMENSIONS)


@each_contract()
def test_facts_have_a_date_and_dimensions_a_time_of_change(contract: Contract) -> None:
    """The date says which days a row counts for; the time of change, which statement is newer."""
    if contract.properties["kind"] == "fact":
        assert contract.business_date == "business_date"
    else:
        assert contract.business_date is None and contract.business_time == "updated_at"


@each_contract()
def test_file_name_feed_and_id_agree(contract: Contract) -> None:
    """So that a path, a table and a contract are found from one another."""
    document = yaml.safe_load((FOLDER / f"{contract.feed}.yaml").read_text(encoding="utf-8"))
    assert document["id"] == f"stockflow.inventory.{contract.feed}"
    assert document["schema"][0]["physicalName"] == contract.feed


# Parts of a key that many files do not have; the model gives them a value all the same.
FILLED_BY_THE_MODEL = {"till_number", "document_year", "channel"}


@each_contract()
def test_it_has_a_key_an_owner_and_a_freshness(contract: Contract) -> None:
    """A contract without these promises nothing."""
    assert contract.key and contract.owner
    assert contract.fresh_within
    optional = {k for k in contract.key if not contract.column(k).required}
    assert optional <= FILLED_BY_THE_MODEL


@pytest.mark.parametrize(
    ("sla", "within"),
    [
        ("[{property: frequency, value: 1, unit: d}, {property: latency, value: 26, unit: h}]", timedelta(hours=26)),
        ("[{property: frequency, value: 1, unit: week}]", timedelta(days=7)),
        ("[]", None),
    ],
)
def test_the_age_of_the_last_load_counts_before_the_frequency(
    tmp_path: Path, sla: str, within: timedelta | None
) -> None:
    """Latency is the feed's own limit; without it a file is expected as often as the frequency says."""
    assert load_contract(_with_sla(tmp_path, sla)).fresh_within == within


def test_a_unit_that_nobody_knows_is_named_with_its_file(tmp_path: Path) -> None:
    """So that no feed is silently never late."""
    with pytest.raises(PermanentError, match=r"sales\.yaml.*latency: unit 'moons' is none of d, day"):
        load_contract(_with_sla(tmp_path, "[{property: latency, value: 1, unit: moons}]"))


def _with_sla(folder: Path, sla: str) -> Path:
    document = yaml.safe_load((FOLDER / "sales.yaml").read_text(encoding="utf-8"))
    document["slaProperties"] = yaml.safe_load(sla)
    path = folder / "sales.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


@each_contract()
def test_no_header_means_two_columns(contract: Contract) -> None:
    """Names and aliases are compared as headers are: without case, accents, blanks and punctuation."""
    seen: dict[str, str] = {}
    for column in contract.stated:
        for header in (column.name, *column.aliases):
            assert seen.setdefault(normalise_header(header), column.name) == column.name, header


@each_contract()
def test_no_alias_is_written_twice(contract: Contract) -> None:
    """Two spellings that are the same header are one alias."""
    for column in contract.stated:
        headers = [normalise_header(a) for a in (column.name, *column.aliases)]
        assert len(headers) == len(set(headers)), column.name


@pytest.mark.parametrize(
    ("feed", "headers", "columns"),
    [
        ("stock_snapshots", "MATNR|WERKS|LABST|MEINS", "sku location_code on_hand unit"),
        (
            "stock_snapshots",
            "Variant SKU|Location|On hand|Available|Committed|Incoming",
            "sku location_code on_hand available committed incoming",
        ),
        (
            "stock_snapshots",
            "Référence|Magasin|Qté en stock|Unité|Coût unitaire|Date d'inventaire",
            "sku location_code on_hand unit unit_cost business_date",
        ),
        (
            "stock_movements",
            "MBLNR|ZEILE|BUDAT|BWART|MATNR|WERKS|MENGE",
            "document line_number business_date movement_type sku location_code quantity",
        ),
        (
            "sales",
            "N° ticket|Ligne|Date de vente|Code article|Magasin|Quantité vendue|Montant HT|Montant TTC",
            "receipt_number line_number business_date sku location_code quantity net_amount gross_amount",
        ),
        ("products", "Internal Reference|Item|Barcode|Cost|Sales Price", "sku name gtin unit_cost unit_price"),
        ("products", "Custom SKU|EAN|Default Cost|Default Price", "sku gtin unit_cost unit_price"),
        ("purchase_orders", "EBELN|EBELP|BEDAT|LIFNR", "order_number line_number business_date supplier_code"),
        ("purchase_orders", "MATNR|MENGE|EINDT", "sku ordered_quantity promised_date"),
        (
            "stock_counts",
            "Date de comptage|Code produit|Dépôt|Qté comptée|Stock théorique|Compté par",
            "business_date sku location_code counted_quantity book_quantity counted_by",
        ),
        ("exchange_rates", "Date|Devise|Taux", "business_date currency rate_to_base"),
        (
            "customer_orders",
            "Order name|Created at|Location|Lineitem sku|Lineitem quantity|Lineitem fulfillment status|Fulfilled at",
            "order_number business_date location_code sku ordered_quantity status shipped_date",
        ),
        (
            "customer_orders",
            "Order Reference|Order Date|Warehouse|Product|Quantity|Delivered|Commitment Date|Unit of Measure",
            "order_number business_date location_code sku ordered_quantity shipped_quantity requested_date unit",
        ),
        (
            "customer_orders",
            "VBELN|POSNR|ERDAT|VKORG|MATNR|WERKS|KWMENG|VRKME|EDATU|LFIMG|WADAT_IST|ABGRU",
            "order_number line_number business_date channel sku location_code ordered_quantity unit requested_date "
            "shipped_quantity shipped_date cancel_reason",
        ),
        (
            "customer_orders",
            "SalesId|LineNum|ItemId|InventLocationId|SalesQty|ShippingDateRequested",
            "order_number line_number sku location_code ordered_quantity requested_date",
        ),
        (
            "customer_orders",
            "N° commande|Ligne|Date de commande|Magasin|Référence|Qté commandée|Qté expédiée|Qté annulée|Expédié le",
            "order_number line_number business_date location_code sku ordered_quantity shipped_quantity "
            "cancelled_quantity shipped_date",
        ),
    ],
)
def test_usual_headers_are_known(feed: str, headers: str, columns: str) -> None:
    """SAP, Shopify, Odoo, Lightspeed and French exports are read without a mapping."""
    known = CONTRACTS[feed].headers
    assert [known.get(normalise_header(h)) for h in headers.split("|")] == columns.split()


def test_a_header_of_signs_is_not_a_blank_one() -> None:
    """Given headers of nothing but punctuation, when they are normalised, then they differ from a blank one."""
    assert [normalise_header(h) for h in ("#", " % ", " ", "N°")] == ["#", "%", "", "n"]


@each_contract()
def test_each_rule_says_when_it_breaks(contract: Contract) -> None:
    """A person who reads a refusal must understand it; names are unique, for they are shown."""
    names = [r.id for r in contract.rules]
    assert len(names) == len(set(names))
    for rule in contract.rules:
        assert rule.severity in {"critical", "warning", "load"}, rule.id
        assert rule.description.startswith("Breaks "), rule.id
        assert rule.expectation.startswith(("expect_", "stockflow_")), rule.id
        re.compile(rule.kwargs.get("regex", ""))


@each_contract()
def test_each_load_needs_its_key_columns(contract: Contract) -> None:
    """A file whose header no alias knows is refused as a whole, with that reason."""
    (rule,) = [r for r in contract.rules if r.expectation == "stockflow_columns_present"]
    assert rule.severity == "load"
    assert set(contract.key) - FILLED_BY_THE_MODEL <= set(rule.kwargs["columns"])


@pytest.mark.parametrize("feed", sorted(FACTS - {"exchange_rates"}))
def test_facts_keep_what_was_stated(feed: str) -> None:
    """Next to each normalised unit and amount stands what the file said."""
    derived = {c.name for c in CONTRACTS[feed].columns if c.derived}
    money = {c.name for c in CONTRACTS[feed].stated if c.unit == "currency"}
    assert derived == {"stated_unit"} | {f"stated_{m}" for m in money} | ({"stated_currency"} if money else set())


def test_personal_data_is_tagged() -> None:
    """The columns that name people."""
    pii = {(f, c.name) for f, contract in CONTRACTS.items() for c in contract.columns if c.pii}
    assert pii == {
        ("suppliers", "contact_name"), ("suppliers", "email"), ("suppliers", "phone"), ("stock_counts", "counted_by")
    }  # fmt: skip


def test_the_base_currency_is_one() -> None:
    """In the pipeline, the contracts and the SQL."""
    bases = {c.properties["baseCurrency"] for c in CONTRACTS.values()} | {pipeline()["base_currency"]}
    assert bases == {"EUR"}
    assert "'EUR'" in (ROUTINES / "base_currency.sql").read_text(encoding="utf-8")


def test_the_age_of_a_rate_is_one() -> None:
    """In the contract, the view that picks a rate, the loads that a late rate sends to work again, the message."""
    days = CONTRACTS["exchange_rates"].properties["maxAgeDays"]
    folder = bundle_root()
    places = {"warehouse/views/inventory_curated/daily_rates.sql": f"INTERVAL {days} DAY",
              "functions/transform/dependents/exchange_rates.sql": f"INTERVAL {days} DAY"}  # fmt: skip
    models = (folder / "functions/transform/models").glob("*.sql")
    converting = [p for p in models if "unknown_exchange_rate" in p.read_text(encoding="utf-8")]
    places |= {str(p.relative_to(folder)): f"a rate of at most {days} days before" for p in converting}
    assert len(converting) == 5
    assert [p for p, words in places.items() if words not in (folder / p).read_text(encoding="utf-8")] == []


def test_a_balance_is_carried_as_long_everywhere() -> None:
    """In the contract of balances, and in the view that says how far stock is known."""
    days = CONTRACTS["stock_snapshots"].properties["carryForwardDays"]
    view = bundle_root() / "warehouse" / "views" / "inventory_curated" / "known_days.sql"
    assert f"balance.last_day, INTERVAL {days} DAY" in view.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("feed", "column", "routine"),
    [
        ("stock_movements", "movement_type", "movement_type"),
        ("purchase_orders", "status", "order_status"),
        ("locations", "type", "location_type"),
        ("customer_orders", "status", "fulfilment_status"),
    ],
)
def test_a_rule_accepts_what_the_sql_knows(feed: str, column: str, routine: str) -> None:
    """Every word that the routine maps passes the rule, with blanks and accents as people write them."""
    (rule,) = [r for r in CONTRACTS[feed].rules if r.column == column and "regex" in r.kwargs]
    accepted = re.compile(rule.kwargs["regex"])
    text = (ROUTINES / f"{routine}.sql").read_text(encoding="utf-8")
    words = {w for group in re.findall(r"word IN \(([^)]*)\)", text) for w in re.findall(r"'([a-z0-9]+)'", group)}
    spelled = {normalise_header(s) for s in _spellings(rule.kwargs["regex"]) if accepted.search(s)}
    assert words == spelled


def test_a_movement_with_a_sign_is_a_movement_with_a_type() -> None:
    """Each word that gives a quantity its sign is one that the routine of the types knows, too."""
    known, signed = (_words(ROUTINES / f"{name}.sql") for name in ("movement_type", "movement_quantity"))
    assert signed and signed <= known


def _words(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    return {w for group in re.findall(r"word IN \(([^)]*)\)", text) for w in re.findall(r"'([a-z0-9]+)'", group)}


def test_a_rule_on_a_pattern_says_in_words_what_it_accepts() -> None:
    """Nobody who sends files reads regular expressions; the words that are named pass."""
    for contract in CONTRACTS.values():
        for rule in (r for r in contract.rules if "regex" in r.kwargs):
            assert rule.expected and len(rule.expected) <= 160, (contract.feed, rule.id)
            assert "\\" not in rule.expected and "[" not in rule.expected, (contract.feed, rule.id)


@pytest.mark.parametrize(("feed", "rule"), [("stock_movements", "movement_type_known"), ("locations", "type_known"),
                                            ("purchase_orders", "status_known"),
                                            ("customer_orders", "status_known")])  # fmt: skip
def test_each_word_that_a_message_names_is_accepted(feed: str, rule: str) -> None:
    """Somebody will write exactly what the message says."""
    (found,) = [r for r in CONTRACTS[feed].rules if r.id == rule]
    listed = re.split(r", | or |\(|\)", re.sub(r"(, )?or (a usual name( such as)?|SAP code)", ",", str(found.expected)))
    words = [w.strip(" .,") for w in listed if w.strip(" .,")]
    assert [w for w in words if not re.search(found.kwargs["regex"], w)] == []


def test_local_times_have_a_place() -> None:
    """The pipeline's time zone, unless the contract names one; a zone that is not one is said at once."""
    assert {c.time_zone for c in CONTRACTS.values()} == {pipeline()["time_zone"]} == {"Europe/Paris"}


def test_a_contract_can_have_a_time_zone_of_its_own(tmp_path: Path) -> None:
    """Another zone makes another stage version; a misspelt one is an error of the contract."""
    text = (FOLDER / "sales.yaml").read_text(encoding="utf-8")
    path = tmp_path / "sales.yaml"
    path.write_text(
        text.replace("customProperties:\n", "customProperties:\n  - {property: timeZone, value: America/New_York}\n", 1)
    )
    there = load_contract(path)
    assert there.time_zone == "America/New_York" and there.fingerprint != CONTRACTS["sales"].fingerprint
    path.write_text(path.read_text().replace("America/New_York", "Europe/Pari"))
    with pytest.raises(PermanentError, match="Europe/Pari"):
        load_contract(path)


def test_a_statement_from_the_future_does_not_win() -> None:
    """Where a stated time decides which statement is newer, it is held against the landing time."""
    for contract in (c for c in CONTRACTS.values() if c.business_time):
        rules = [r for r in contract.rules if r.column == contract.business_time]
        assert [r.expectation for r in rules] == ["stockflow_not_after_landing"], contract.feed
        model = (bundle_root() / "functions/transform/models" / f"{contract.feed}.sql").read_text(encoding="utf-8")
        assert f"LEAST(COALESCE({contract.business_time}, _landed_at), _landed_at) AS _business_time" in model


def _spellings(pattern: str) -> set[str]:
    """Every text that a pattern of alternatives, optional letters and classes accepts."""
    body = pattern.removeprefix(r"(?i)^\s*(").removesuffix(r")\s*$")
    return {s for alternative in _split(body) for s in _expand(alternative)}


def _split(body: str) -> list[str]:
    parts: list[str] = []
    depth, current = 0, ""
    for ch in body:
        depth += (ch == "(") - (ch == ")")
        if ch == "|" and depth == 0:
            parts, current = [*parts, current], ""
        else:
            current += ch
    return [*parts, current]


def _expand(pattern: str) -> set[str]:
    found = re.search(r"\[([^]]+)\](\??)|\(([^)]+)\)|(\w)\?", pattern)
    if not found:
        return {pattern}
    choices = list(found[1]) if found[1] else found[3].split("|") if found[3] else [found[4], ""]
    if found[2]:
        choices.append("")
    head, tail = pattern[: found.start()], pattern[found.end() :]
    return {head + c + rest for c in choices for rest in _expand(tail)}


def test_the_accepted_dates_are_not_later_than_tomorrow() -> None:
    """Each fact's date is held against the landing time."""
    for feed in FACTS:
        rules = [r.expectation for r in CONTRACTS[feed].rules if r.column == "business_date"]
        assert "stockflow_not_after_landing" in rules, feed


@each_contract()
def test_a_fallback_is_one_of_the_aliases(contract: Contract) -> None:
    """``Code magasin`` beside ``Magasin`` is no riddle: the plain word counts only when it stands alone."""
    for column in contract.stated:
        assert set(column.fallbacks) <= set(column.aliases), column.name


def test_the_plant_is_the_location_and_the_storage_location_its_substitute() -> None:
    """SAP's LGORT counts only where there is no WERKS."""
    location = CONTRACTS["stock_snapshots"].column("location_code")
    assert "lgort" in location.fallbacks and "werks" not in location.fallbacks


def test_a_changed_row_rule_does_not_change_how_files_are_read(tmp_path: Path) -> None:
    text = (bundle_root() / "contracts/sales.yaml").read_text(encoding="utf-8")
    changed = {"rule": ("max_value: 1000000", "max_value: 2000000"), "alias": ("receipt no", "receipt nr")}
    read = {}
    for name, (old, new) in {"same": ("", ""), **changed}.items():
        assert old in text
        path = tmp_path / f"{name}.yaml"
        path.write_text(text.replace(old, new) if old else text, encoding="utf-8")
        read[name] = load_contract(path)
    assert read["rule"].fingerprint != read["same"].fingerprint
    assert read["rule"].reading == read["same"].reading
    assert read["alias"].reading != read["same"].reading
