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
from tests.integration import transform_world
from tests.unit import values_corpus as corpus

pytestmark = pytest.mark.integration
Ask = Callable[[str, Sequence[str | None]], list[Any]]
ROUTINES = transform_world.ROOT / "warehouse" / "routines" / "inventory_curated"


@pytest.fixture(scope="module")
def ask(bigquery_emulator: str) -> Ask:
    services = transform_world.new_world(bigquery_emulator).services
    return lambda call, texts: _ask(services, call, texts)


def _ask(services: Services, call: str, texts: Sequence[str | None]) -> list[Any]:
    """Return what a call gives for each text, in one query."""
    number = partial(bigquery.ScalarQueryParameter, "n", "INT64")
    text = partial(bigquery.ScalarQueryParameter, "t", "STRING")
    cells = [bigquery.StructQueryParameter(None, number(n), text(t)) for n, t in enumerate(texts)]
    config = bigquery.QueryJobConfig(query_parameters=[bigquery.ArrayQueryParameter("cells", "STRUCT", cells)])
    sql = f"SELECT inventory_curated.{call} AS v FROM UNNEST(@cells) AS cell ORDER BY cell.n"
    return [row["v"] for row in services.warehouse.client.query(services.settings.sql(sql), job_config=config).result()]


@pytest.mark.parametrize("mark", [".", ","])
def test_numbers(ask: Ask, mark: str) -> None:
    """The corpus, with both marks."""
    texts = [text for text, _, _ in corpus.NUMBERS]
    assert ask(f"to_number(cell.t, '{mark}')", texts) == [values.to_number(t, mark) for t in texts]
    assert ask(f"to_integer(cell.t, '{mark}')", texts) == [values.to_integer(t, mark) for t in texts]


@pytest.mark.parametrize("order", ["ymd", "dmy", "mdy"])
def test_dates_and_moments(ask: Ask, order: str) -> None:
    """The corpora, in every order."""
    texts = [text for text, _, _ in (*corpus.DATES, *corpus.MOMENTS)]
    assert ask(f"to_date(cell.t, '{order}')", texts) == [values.to_date(t, order) for t in texts]
    assert ask(f"to_timestamp(cell.t, '{order}')", texts) == [values.to_timestamp(t, order) for t in texts]


def test_texts_codes_units_and_trade_numbers(ask: Ask) -> None:
    """The corpora of text."""
    texts = [t for t, _, _ in corpus.TEXTS] + [t for t, _ in (*corpus.UNITS, *corpus.GTINS)]
    for name in ("to_text", "to_code", "to_unit", "to_gtin", "to_gln"):
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
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.text("abcXYZ =\"'éÀç\t\u00a0\ufeff-_/%", max_size=10),
)


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.large_base_example,
        HealthCheck.data_too_large,
    ],
)
@given(st.lists(CELLS, min_size=150, max_size=300))
def test_any_cells(ask: Ask, texts: list[str]) -> None:
    """Whatever is written, both read it alike or both refuse it."""
    for call, python in {
        "to_number(cell.t, '.')": lambda t: values.to_number(t, "."),
        "to_number(cell.t, ',')": lambda t: values.to_number(t, ","),
        "to_date(cell.t, 'dmy')": lambda t: values.to_date(t, "dmy"),
        "to_timestamp(cell.t, 'mdy')": lambda t: values.to_timestamp(t, "mdy"),
        "to_code(cell.t)": values.to_code,
    }.items():
        answers = zip(texts, ask(call, texts), strict=True)
        assert [(t, sql, python(t)) for t, sql in answers if sql != python(t)] == [], call


def test_every_function_cleans_text_the_same_way() -> None:
    """BigQuery routines cannot share an expression without an order of creation, so each carries it; it is one."""
    texts = {p.stem: p.read_text(encoding="utf-8") for p in Path(ROUTINES).glob("*.sql")}
    blanks = {line.strip().split("'")[1] for t in texts.values() for line in t.splitlines() if "x{00A0}" in line}
    assert len(blanks) == 1
