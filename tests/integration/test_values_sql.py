"""The SQL functions read every cell as ``stockflow.values`` does, on the emulator."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stockflow import values
from stockflow.services import Services
from stockflow.values import blanks
from tests.integration import transform_world
from tests.unit import values_corpus as corpus

pytestmark = pytest.mark.integration
Ask = Callable[[str, Sequence[str | None]], list[Any]]
ROUTINES = transform_world.ROOT / "warehouse" / "routines" / "inventory_curated"


@pytest.fixture(scope="module")
def services(bigquery_emulator: str) -> Services:
    return transform_world.new_world(bigquery_emulator).services


@pytest.fixture(scope="module")
def ask(services: Services) -> Ask:
    return lambda call, texts: _ask(services, call, texts)


def _ask(services: Services, call: str, texts: Sequence[str | None]) -> list[Any]:
    """Return what a call gives for each text, in one query."""
    return [found for (found,) in _ask_all(services, [call], texts)]


def _ask_all(services: Services, calls: Sequence[str], texts: Sequence[str | None]) -> list[tuple[Any, ...]]:
    """Return what each call gives for each text, in one query."""
    number = partial(bigquery.ScalarQueryParameter, "n", "INT64")
    text = partial(bigquery.ScalarQueryParameter, "t", "STRING")
    cells = [bigquery.StructQueryParameter(None, number(n), text(t)) for n, t in enumerate(texts)]
    config = bigquery.QueryJobConfig(query_parameters=[bigquery.ArrayQueryParameter("cells", "STRUCT", cells)])
    columns = ", ".join(f"inventory_curated.{call} AS v{n}" for n, call in enumerate(calls))
    sql = services.settings.sql(f"SELECT {columns} FROM UNNEST(@cells) AS cell ORDER BY cell.n")
    return [tuple(row.values()) for row in services.warehouse.client.query(sql, job_config=config).result()]


@pytest.mark.parametrize("mark", [".", ","])
def test_numbers(ask: Ask, mark: str) -> None:
    """The corpus, with both marks."""
    texts = [text for text, _, _ in corpus.NUMBERS]
    assert ask(f"to_number(cell.t, '{mark}')", texts) == [values.to_number(t, mark) for t in texts]
    assert ask(f"is_number(cell.t, '{mark}')", texts) == [values.is_number(t, mark) for t in texts]
    assert ask(f"to_integer(cell.t, '{mark}')", texts) == [values.to_integer(t, mark) for t in texts]


@pytest.mark.parametrize("order", ["ymd", "dmy", "mdy"])
def test_dates_and_moments(ask: Ask, order: str) -> None:
    """The corpora, in every order."""
    texts: list[Any] = [row[0] for row in (*corpus.DATES, *corpus.MOMENTS, *corpus.BLANKS)]
    assert ask(f"to_date(cell.t, '{order}', 'UTC')", texts) == [values.to_date(t, order) for t in texts]
    assert ask(f"to_timestamp(cell.t, '{order}', 'UTC')", texts) == [values.to_timestamp(t, order) for t in texts]


@pytest.mark.parametrize("zone", sorted({zone for _, zone, _ in (*corpus.LOCAL, *corpus.LOCAL_DAYS)}))
def test_local_times_and_days(ask: Ask, zone: str) -> None:
    """Every text in every zone; hours that summer time skips or repeats, as BigQuery reads them."""
    texts = [text for text, _, _ in (*corpus.LOCAL, *corpus.LOCAL_DAYS, *corpus.MOMENTS)]
    moments = [values.to_timestamp(t, "dmy", zone) for t in texts]
    assert ask(f"to_timestamp(cell.t, 'dmy', '{zone}')", texts) == moments
    assert ask(f"to_date(cell.t, 'dmy', '{zone}')", texts) == [values.to_date(t, "dmy", zone) for t in texts]


@pytest.mark.parametrize("kind", ["number", "date", "word", "string"])
def test_what_says_nothing(ask: Ask, kind: str) -> None:
    """The words for "no value" and "no date", by what a column holds."""
    texts: list[Any] = [row[0] for row in (*corpus.BLANKS, *corpus.TEXTS, *corpus.NUMBERS, *corpus.DATES)]
    assert ask(f"is_blank(cell.t, '{kind}')", texts) == [values.is_blank(t, kind) for t in texts]


@pytest.mark.parametrize("currency", ["EUR", "GBP"])
def test_amounts_beside_their_currency(ask: Ask, currency: str) -> None:
    """Taken off, or refused."""
    texts = [row[0] for row in (*corpus.AMOUNTS, *corpus.NUMBERS)]
    assert ask(f"bare_amount(cell.t, '{currency}')", texts) == [values.bare_amount(t, currency) for t in texts]


def test_texts_codes_units_and_trade_numbers(ask: Ask) -> None:
    """The corpora of text."""
    texts: list[Any] = [row[0] for row in (*corpus.TEXTS, *corpus.UNITS, *corpus.GTINS, *corpus.BLANKS)]
    for name in ("to_text", "to_code", "to_word", "to_unit", "to_gtin", "to_gln"):
        assert ask(f"{name}(cell.t)", texts) == [getattr(values, name)(t) for t in texts], name


def test_unit_factors(ask: Ask) -> None:
    """Every combination of a few units."""
    units, sizes = [None, "EA", "CS", "KG", "G", "L", "ML"], [None, Decimal(0), Decimal(6)]
    cases = [(s, b, p, n) for s in units for b in units for p in (None, "CS") for n in sizes]
    texts = ["|".join("" if part is None else str(part) for part in case) for case in cases]
    parts = [f"NULLIF(SPLIT(cell.t, '|')[OFFSET({i})], '')" for i in range(4)]
    found = ask(f"unit_factor({', '.join(parts[:3])}, CAST({parts[3]} AS NUMERIC))", texts)
    assert found == [values.unit_factor(*case) for case in cases]


CELLS = st.one_of(
    st.text("0123456789.,-+ '\u00a0\u202fe", max_size=14),
    st.text("0123456789-/.T: Z+", max_size=22),
    st.from_regex(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}( [0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?", fullmatch=True),
    st.from_regex(
        r"(20|19|17|99)[0-9]{2}-?(0[1-9]|1[0-2])-?[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9]([.,][0-9]{1,9})?)?"
        r"( ?[AP]M)?( ?(Z|UTC|[+-][01][0-9]:?[0-5][0-9]))?)?",
        fullmatch=True,
    ),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.from_regex(r"[(€]?[0-9]{1,40}[.,]?[0-9]{0,12}([eE][+-]?[0-9]{1,2})?[)€-]?( EUR)?", fullmatch=True),
    st.text("abcXYZß =\"'éÀçe\u0301\t\u00a0\u200b\u2009\x07\ufeff-_/%", max_size=10),
    st.sampled_from([row[0] for row in corpus.BLANKS if row[0] is not None]),
)


@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.large_base_example,
        HealthCheck.data_too_large,
    ],
)
@given(st.lists(CELLS, min_size=150, max_size=300))
def test_any_cells(services: Services, texts: list[str]) -> None:
    """Whatever is written, both read it alike or both refuse it."""
    calls: dict[str, Callable[[str], Any]] = {
        "to_number(cell.t, '.')": lambda t: values.to_number(t, "."),
        "to_number(cell.t, ',')": lambda t: values.to_number(t, ","),
        "is_number(cell.t, '.')": lambda t: values.is_number(t, "."),
        "is_number(cell.t, ',')": lambda t: values.is_number(t, ","),
        "to_integer(cell.t, '.')": lambda t: values.to_integer(t, "."),
        "to_date(cell.t, 'dmy', 'Europe/Paris')": lambda t: values.to_date(t, "dmy", "Europe/Paris"),
        "to_timestamp(cell.t, 'mdy', 'America/New_York')": lambda t: values.to_timestamp(t, "mdy", "America/New_York"),
        "to_timestamp(cell.t, 'dmy', 'Europe/Paris')": lambda t: values.to_timestamp(t, "dmy", "Europe/Paris"),
        "to_code(cell.t)": values.to_code,
        "to_word(cell.t)": values.to_word,
        "is_blank(cell.t, 'date')": lambda t: values.is_blank(t, "date"),
        "bare_amount(cell.t, 'EUR')": lambda t: values.bare_amount(t, "EUR"),
    }
    found = _ask_all(services, list(calls), texts)
    read = [tuple(python(t) for python in calls.values()) for t in texts]
    assert [(t, sql, py) for t, sql, py in zip(texts, found, read, strict=True) if sql != py] == []


def test_every_function_cleans_text_the_same_way() -> None:
    """BigQuery routines cannot share an expression without an order of creation, so each carries it; it is one."""
    texts = {p.stem: p.read_text(encoding="utf-8") for p in Path(ROUTINES).glob("*.sql")}
    for sign in ("x{00A0}", "x{AD}"):
        assert len({line.split("'")[1] for t in texts.values() for line in t.splitlines() if sign in line}) == 1, sign


def test_no_value_and_no_date_are_the_same_words_everywhere() -> None:
    """The patterns of Python stand in each SQL function that needs them."""
    texts = {p.stem: p.read_text(encoding="utf-8") for p in Path(ROUTINES).glob("*.sql")}
    no_date, word, cell = (p.pattern for p in (blanks._NO_DATE, blanks._NULL_WORD, blanks._NULL_CELL))
    assert all(no_date in texts[name] for name in ("is_blank", "to_date", "to_timestamp"))
    assert all(f"^(?:{word})$" in texts[name] for name in ("is_blank", "to_word"))
    assert f"^(?:{cell})$" in texts["is_blank"]
