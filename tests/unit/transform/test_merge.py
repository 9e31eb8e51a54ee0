"""The SQL of a drain: golden files, and what every model must keep."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from functions.transform import dimensions, files, merge
from stockflow.contracts import load_contracts
from stockflow.settings import bundle_root

CONTRACTS = load_contracts(bundle_root() / "contracts")
GOLDEN = Path(__file__).parent / "golden"
FEEDS = sorted(CONTRACTS)
PARTITIONED = {"load_stages", "load_stages_latest", "quarantine_rows", "stage_attempts"}


def statements(script: str) -> list[exp.Expression]:
    """Return the SQL statements of a script, without the words of scripting around them."""
    plain = re.sub(r"(?m)^ *(IF .* THEN|END IF;|BEGIN TRANSACTION;|COMMIT TRANSACTION;|RAISE .*;)$", "", script)
    return [s for s in sqlglot.parse(plain, dialect="bigquery") if s is not None and not isinstance(s, exp.Semicolon)]


def unfiltered(statement: exp.Expression) -> list[str]:
    """Return the partitioned tables that a statement reads without a condition on the landing day."""
    found = []
    for table in statement.find_all(exp.Table):
        select = table.find_ancestor(exp.Select)
        if (table.db == "inventory_raw" or table.name in PARTITIONED) and select is not None:
            where = select.args.get("where")
            days = {c.name for c in where.find_all(exp.Column)} if where else set()
            found += [] if days & {"landed_on", "_landed_on"} else [table.name]
    return found


@pytest.mark.parametrize("feed", FEEDS)
def test_the_script_is_the_golden_one(feed: str) -> None:
    """A change of the builder shows as a difference of SQL (``UPDATE_GOLDEN=1`` writes it)."""
    path, script = GOLDEN / f"{feed}.sql", merge.drain_script(CONTRACTS[feed])
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(script, encoding="utf-8")
    assert script == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("feed", FEEDS)
def test_a_model_gives_every_curated_column_in_order(feed: str) -> None:
    """And what says where a row comes from, which statement is newer, and why it is refused."""
    columns = [c.name for c in CONTRACTS[feed].columns]
    kept = ["_unvalued"] if merge.keeps_unvalued(feed) else []
    wanted = [*columns, "_load_id", "_row", "_line", "_business_time", "_generation", *kept, "_issue"]
    assert sqlglot.parse_one(files.model(feed), dialect="bigquery").named_selects == wanted


@pytest.mark.parametrize("feed", FEEDS)
def test_a_model_is_one_select_that_can_be_pasted_into_the_console(feed: str) -> None:
    """One statement, no parameter, no star over a table, only datasets of the project."""
    (statement,) = sqlglot.parse(files.model(feed), dialect="bigquery")
    assert isinstance(statement, exp.Select)
    assert not list(statement.find_all(exp.Parameter))
    tables = {t for t in statement.find_all(exp.Table) if t.db}
    assert {t.db for t in tables} <= {"inventory_raw", "inventory_curated"}
    assert {t.name for t in tables if t.db == "inventory_raw"} == {f"{feed}_accepted"}


@pytest.mark.parametrize("feed", FEEDS)
def test_every_statement_of_a_script_is_googlesql(feed: str) -> None:
    """sqlglot reads each one (scripting words apart)."""
    script = merge.drain_script(CONTRACTS[feed])
    assert "<<" not in script
    assert all(statements(script))


@pytest.mark.parametrize("feed", FEEDS)
def test_every_statement_reads_only_the_partitions_that_it_needs(feed: str) -> None:
    """What a drain costs does not grow with the age of the environment."""
    for statement in statements(merge.drain_script(CONTRACTS[feed])):
        assert unfiltered(statement) == []


@pytest.mark.parametrize("feed", FEEDS)
def test_a_drain_says_which_columns_it_reads_and_writes(feed: str) -> None:
    """No star over a table of the ledger or of raw, no INSERT by position."""
    for statement in statements(merge.drain_script(CONTRACTS[feed])):
        if isinstance(statement, exp.Insert):
            assert isinstance(statement.this, exp.Schema), statement.sql()
        for star in statement.find_all(exp.Star):
            select = star.find_ancestor(exp.Select)
            assert isinstance(star.parent, exp.Count) or not select or select.args["from_"].this.name != feed


def test_the_query_of_what_is_pending_reads_only_the_partitions_that_it_needs() -> None:
    """A week, and the days that are asked for."""
    assert unfiltered(sqlglot.parse_one(files.template("pending.sql"), dialect="bigquery")) == []


def test_a_change_of_contract_or_model_is_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a change of another feed's model is not."""
    sales, before = CONTRACTS["sales"], merge.version(CONTRACTS["sales"])
    assert merge.version(replace(sales, fingerprint="other")) != before
    original = files.model
    monkeypatch.setattr(merge, "model", lambda feed: original(feed) + ("-- other" if feed == "products" else ""))
    assert merge.version(sales) == before
    monkeypatch.setattr(merge, "model", lambda feed: original(feed) + "-- other")
    assert merge.version(sales) != before


def test_a_feed_without_a_model_says_which_file_is_missing() -> None:
    """A contract was added, its model was forgotten."""
    with pytest.raises(files.UnknownModelError, match=r"models/gadgets\.sql is missing"):
        files.model("gadgets")


def test_a_model_must_read_its_accepted_rows_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise it could read all loads instead of the batch."""
    monkeypatch.setattr(merge, "model", lambda _feed: "SELECT 1 FROM inventory_raw.sales")
    with pytest.raises(ValueError, match="exactly once, it does so 0 times"):
        merge.drain_script(CONTRACTS["sales"])


def test_only_dimensions_that_facts_compute_with_wake_other_feeds() -> None:
    """Names enrich in views; units and rates change rows."""
    assert [f for f in FEEDS if dimensions.has_dependents(f)] == ["exchange_rates", "products"]


@pytest.mark.parametrize("dimension", ["products", "exchange_rates"])
def test_the_dependents_of_a_dimension_are_the_feeds_that_read_it(dimension: str) -> None:
    """A new model that joins a dimension must be added to its list."""
    readers = {f for f in FEEDS if dimension in dimensions.reads(f)}
    listed = files.template(f"dependents/{dimension}.sql")
    assert {f for f in FEEDS if f"inventory_curated.{f}_history" in listed} == readers


def test_money_and_units_are_converted_by_the_same_words_in_every_model() -> None:
    """The step ``converted``: the base unit, the factor and the rate, and where product and rate come from."""
    steps = {feed: files.model(feed).partition("converted AS (")[2].partition("\n)\nSELECT")[0] for feed in FEEDS}
    money = {feed: step for feed, step in steps.items() if "rate_to_base" in step}
    units = {feed: step[step.index("    COALESCE(product") :] for feed, step in money.items() if "unit_factor(" in step}
    assert sorted(units) == ["purchase_orders", "sales", "stock_movements", "stock_snapshots"]
    assert len(set(units.values())) == 1
    assert len({line for step in money.values() for line in step.splitlines() if line.endswith("AS rate")}) == 1
