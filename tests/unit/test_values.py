"""How cells are read: each habit once, and properties that hold for any text."""

import unicodedata
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockflow import values
from stockflow.filename import days_in
from tests.unit import values_corpus as corpus


@pytest.mark.parametrize(("text", "mark", "value"), corpus.NUMBERS)
def test_numbers(text: str | None, mark: str, value: Decimal | None) -> None:
    """Exact, or refused."""
    assert values.to_number(text, mark) == value


@pytest.mark.parametrize(
    ("text", "mark", "written"),
    [
        *((text, mark, True) for text, mark, value in corpus.NUMBERS if value is not None),
        ("9" * 40, ".", True), ("9" * 60 + "e-40", ".", True), ("1e99", ",", True), ("(1.000,5)", ",", True),
        ("-4-", ".", False), ("1,23", ".", False), ("ten", ".", False), ("9" * 40 + "x", ".", False), ("", ".", False),
    ],
)  # fmt: skip
def test_what_is_written_as_a_number_whatever_its_size(text: str | None, mark: str, written: bool) -> None:
    """Such a cell is too large where it counts for nothing, any other one cannot be read."""
    assert values.is_number(text, mark) is written


@pytest.mark.parametrize(("text", "order", "value"), corpus.DATES)
def test_dates(text: str | None, order: str, value: date | None) -> None:
    """Possible days only."""
    assert values.to_date(text, order) == value


@pytest.mark.parametrize(("text", "order", "value"), corpus.MOMENTS)
def test_moments(text: str | None, order: str, value: datetime | None) -> None:
    """In UTC."""
    assert values.to_timestamp(text, order) == value


@pytest.mark.parametrize(("text", "plain", "code"), corpus.TEXTS)
def test_texts_and_codes(text: str | None, plain: str | None, code: str | None) -> None:
    """Without what spreadsheets put around them."""
    assert (values.to_text(text), values.to_code(text)) == (plain, code)


@pytest.mark.parametrize(("text", "number", "day", "word", "plain"), corpus.BLANKS)
def test_what_says_nothing(text: str | None, number: bool, day: bool, word: bool, plain: bool) -> None:
    """The words for "no value" where a value is typed; no more than blanks in free text and codes."""
    kinds = ("number", "date", "word", "string")
    assert tuple(values.is_blank(text, kind) for kind in kinds) == (number, day, word, plain)
    assert (values.to_word(text) is None) == word
    if number:
        assert values.to_number(text) is None
    if day:
        assert values.to_date(text) is values.to_timestamp(text) is None


@pytest.mark.parametrize(("text", "currency", "bare"), corpus.AMOUNTS)
def test_amounts_beside_their_currency(text: str | None, currency: str, bare: str | None) -> None:
    """Taken off when it is the currency of the row; an amount in another one is refused, not converted by 1."""
    assert values.bare_amount(text, currency) == bare


def test_an_amount_is_a_number_with_or_without_its_currency() -> None:
    """A column of prices as a till prints them."""
    assert values.to_amount("12 345,60 €", ",") == values.to_amount("12345,60", ",") == Decimal("12345.6")
    assert values.to_amount("£ 4", ".", "EUR") is None
    assert values.to_number("4 €") is None


@pytest.mark.parametrize(("text", "zone", "moment"), corpus.LOCAL)
def test_local_times(text: str, zone: str, moment: datetime) -> None:
    """A skipped hour and an hour that comes twice are read with the offset before the change."""
    assert values.to_timestamp(text, "dmy", zone) == moment


@pytest.mark.parametrize(("text", "zone", "day"), corpus.LOCAL_DAYS)
def test_local_days(text: str, zone: str, day: date) -> None:
    """A moment in UTC is the day that it was there; an offset of another place keeps the day as written."""
    assert values.to_date(text, "dmy", zone) == day


@pytest.mark.parametrize(("text", "unit"), corpus.UNITS)
def test_units(text: str | None, unit: str | None) -> None:
    """By their usual codes."""
    assert values.to_unit(text) == unit


@pytest.mark.parametrize(("text", "gtin"), corpus.GTINS)
def test_gtins(text: str | None, gtin: str | None) -> None:
    """Fourteen digits whose last one is right."""
    assert values.to_gtin(text) == gtin


def test_whole_numbers() -> None:
    """12.0 is whole, 12.5 is not, and 64 bits are the limit."""
    cases = {"12": 12, "12.0": 12, "12.5": None, "-3": -3, "1,000": 1000, "9223372036854775808": None, "x": None}
    assert {text: values.to_integer(text) for text in cases} == cases


def test_location_numbers() -> None:
    """Thirteen digits, no more, no fewer."""
    assert values.to_gln("4006381333931") == "4006381333931"
    assert values.to_gln("04006381333931") is None
    assert values.to_gln("4006381333932") is None


@pytest.mark.parametrize(
    ("stated", "base", "pack", "size", "factor"),
    [
        (None, "EA", None, None, 1),
        ("EA", "EA", None, None, 1),
        ("EA", None, None, None, 1),
        ("CS", "EA", "CS", 6, 6),
        ("CS", "EA", "CS", None, None),
        ("CS", "EA", "CS", 0, None),
        ("CS", "EA", "BX", 6, None),
        ("CS", None, None, None, None),
        ("KG", "G", None, None, 1000),
        ("G", "KG", None, None, Decimal("0.001")),
    ],
)
def test_an_unknown_factor_is_never_one(
    stated: str | None, base: str | None, pack: str | None, size: int | None, factor: Any
) -> None:
    """The stated unit in base units, when the product says so."""
    units = None if size is None else Decimal(size)
    assert values.unit_factor(stated, base, pack, units) == factor


def test_a_load_proves_its_own_conventions() -> None:
    """One value that can be read one way only decides for all the others."""
    found = values.detect_formats(["1,5", "1.234", None, ""], ["01/02/2026", "13/02/2026"])
    assert (found.decimal_mark, found.date_order) == (",", "dmy")
    assert found.contradictions == found.ambiguous == ()


def test_what_nothing_decides_falls_to_the_contract_and_is_said() -> None:
    """Two readings, no proof."""
    found = values.detect_formats(["1,234"], ["01/02/2026"], ",", "mdy")
    assert (found.decimal_mark, found.date_order) == (",", "mdy")
    assert found.ambiguous == (
        "decimal mark: 1 value could be read two ways (1,234 is 1.234 or 1234), the contract says ,",
        "date order: 1 value could be read two ways (01/02/2026 is 1 February 2026 or 2 January 2026), "
        "the contract says mdy",
    )
    assert found.decided_by == {"decimal mark": "contract", "date order": "contract"}
    assert found.doubts[1].examples == (("01/02/2026", "1 February 2026", "2 January 2026"),)


def test_the_day_in_the_file_name_decides_between_two_readings() -> None:
    """A daily file of 5 June that says 06/05/2026 puts the month first."""
    found = values.detect_formats([], ["06/05/2026", "06/04/2026"], file_date=date(2026, 6, 5))
    assert (found.date_order, found.decided_by["date order"], found.ambiguous) == ("mdy", "file name", ())
    assert found.doubts[0].count == 2


def test_a_file_name_that_fits_both_readings_or_none_decides_nothing() -> None:
    """Both orders have a value of that day, or neither has."""
    both = values.detect_formats([], ["06/05/2026", "05/06/2026"], file_date=date(2026, 6, 5))
    none = values.detect_formats([], ["06/05/2026"], file_date=date(2026, 7, 1))
    assert both.decided_by["date order"] == none.decided_by["date order"] == "contract"


def test_the_senders_earlier_files_decide_before_the_contract() -> None:
    """What they proved is remembered by the caller; the values of this file and its name come first."""
    earlier = {"date order": "mdy", "decimal mark": ","}
    found = values.detect_formats(["1,234"], ["06/05/2026"], sender=earlier)
    assert (found.decimal_mark, found.date_order, found.ambiguous) == (",", "mdy", ())
    assert found.decided_by == {"decimal mark": "sender", "date order": "sender"}
    proved = values.detect_formats(["1.5"], ["13/05/2026"], sender=earlier)
    assert (proved.decimal_mark, proved.date_order) == (".", "dmy")
    assert proved.decided_by == {"decimal mark": "values", "date order": "values"}


@pytest.mark.parametrize(
    ("texts", "delimiter", "sender", "mark", "by"),
    [(["1,500", "2"], ";", {}, ",", "delimiter"), (["1,500"], ",", {}, ".", "contract"),
     (["1.500"], ";", {}, ".", "contract"), (["1,500", "1.500"], ";", {}, ".", "contract"),
     (["1,500"], ";", {"decimal mark": "."}, ".", "sender"), (["1,500", "2.5"], ";", {}, ".", "values")],
)  # fmt: skip
def test_between_semicolons_a_comma_is_a_decimal_mark(
    texts: list[str], delimiter: str, sender: dict[str, str], mark: str, by: str
) -> None:
    """Spreadsheets separate cells by ; where the comma stands in numbers. It is a doubt, and said as one."""
    found = values.detect_formats(texts, [], delimiter=delimiter, sender=sender)
    assert (found.decimal_mark, found.decided_by["decimal mark"]) == (mark, by)
    assert len(found.doubts) == (by != "values")


def test_a_day_that_is_the_same_in_both_orders_is_no_doubt() -> None:
    """5 May is 5 May, and no date at all proves nothing."""
    assert values.detect_formats([], ["05/05/2026", "00/00/0000", "NULL"]).doubts == ()


def test_times_and_offsets_do_not_hide_the_order() -> None:
    """A day above 12 proves it, whatever stands behind."""
    assert values.order_evidence("9/18/2026 12:00:00 AM") == "mdy"
    assert values.order_evidence("18/9/2026 10:00:00 +0200") == "dmy"


def test_contradictions_are_said() -> None:
    """Two people wrote one file: most win, and a person is told."""
    found = values.detect_formats(["1.5", "2.5", "1,5"], ["13/02/2026", "02/13/2026", "14/02/2026"])
    assert (found.decimal_mark, found.date_order) == (".", "dmy")
    assert found.contradictions == (
        "decimal mark: 2 values say ., 1 say ,",
        "date order: 2 values say dmy, 1 say mdy",
    )


def test_year_first_alone_is_an_order_of_its_own() -> None:
    """Then a stray 01/02/2026 of a later file is not guessed."""
    assert values.detect_formats([], ["2026-09-01", "20260902"]).date_order == "ymd"
    assert values.detect_formats([], []).date_order == "dmy"


@pytest.mark.parametrize(
    ("text", "mark"),
    [("1", None), ("1.5", "."), ("1,5", ","), ("1.234", "?"), ("1,234", "?"), ("0,125", ","), ("1234,567", ","),
     ("1.234.567", ","), ("1,234.5", "."), ("1.234,5", ","), ("12,345-", "?"), ("abc", None), (None, None)],
)  # fmt: skip
def test_what_a_number_proves(text: str | None, mark: str | None) -> None:
    """Groups of three prove nothing, anything else does."""
    assert values.mark_evidence(text) == mark


def test_blanks() -> None:
    """SAP writes an empty date as zeros; a zero quantity is not blank."""
    assert values.is_blank("00000000", "date") and values.is_blank("0000-00-00", "timestamp")
    assert values.is_blank(" ", "number") and not values.is_blank("0", "number")


DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)


@given(DECIMALS, st.sampled_from([".", ","]), st.sampled_from(["", " ", "\u00a0", "'", "other"]))
def test_a_number_survives_being_written(number: Decimal, mark: str, group: str) -> None:
    """Any number, in any of the ways people group and point it."""
    other = "," if mark == "." else "."
    text = f"{number:,.4f}".replace(",", "G").replace(".", "D")
    text = text.replace("G", other if group == "other" else group).replace("D", mark)
    assert values.to_number(text, mark) == number
    assert values.to_number(text.lstrip("-") + ("-" if text.startswith("-") else ""), mark) == number


@given(st.dates(date(1900, 1, 1), date(2299, 12, 31)))
def test_a_date_survives_being_written(day: date) -> None:
    """Year first, day first, month first."""
    assert values.to_date(f"{day:%Y-%m-%d}") == values.to_date(f"{day:%Y%m%d}") == day
    assert values.to_date(f"{day:%d/%m/%Y}", "dmy") == values.to_date(f"{day:%m/%d/%Y}", "mdy") == day


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.integers(-14 * 60 + 1, 14 * 60 - 1))
def test_a_moment_survives_being_written(moment: datetime, offset: int) -> None:
    """With any offset."""
    aware = moment.replace(tzinfo=UTC)
    sign, minutes = ("-" if offset < 0 else "+"), abs(offset)
    local = aware + timedelta(minutes=offset)
    text = f"{local:%Y-%m-%dT%H:%M:%S.%f}{sign}{minutes // 60:02}:{minutes % 60:02}"
    assert values.to_timestamp(text) == aware


@given(st.text(max_size=30))
def test_no_text_raises(text: str) -> None:
    """Refused, never an exception; and a clean text stays as it is."""
    values.to_number(text), values.to_date(text), values.to_timestamp(text), values.to_unit(text)
    values.detect_formats([text], [text])
    plain = values.to_text(text)
    if plain is not None and not plain.startswith(("'", '="')):
        assert values.to_text(plain) == plain
    assert values.to_gtin(text) is None or unicodedata.normalize("NFKC", text) is not None


def test_a_week_or_month_in_the_file_name_decides_the_date_order() -> None:
    week = (date(2026, 9, 7), date(2026, 9, 13))
    found = values.detect_formats([], ["07/09/2026", "12/09/2026"], ".", "mdy", file_days=week)
    assert (found.date_order, found.decided_by["date order"], found.ambiguous) == ("dmy", "file name", ())


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("sales/ventes_2026-S37.csv", (date(2026, 9, 7), date(2026, 9, 13))),
        ("sales/sales_2026W37.csv", (date(2026, 9, 7), date(2026, 9, 13))),
        ("sales/2026-09/sales.csv", (date(2026, 9, 1), date(2026, 9, 30))),
        ("sales/sales_2026-09-12.csv", (date(2026, 9, 12), date(2026, 9, 12))),
        ("sales/from_2026-W37_to_2026-W38.csv", None),
        ("sales/sales_2026-W60.csv", None),
        ("sales/store_12.csv", None),
    ],
)
def test_the_days_that_a_file_name_speaks_of(name: str, days: tuple[date, date] | None) -> None:
    assert days_in(name) == days


def test_beside_a_decimal_comma_days_come_first() -> None:
    """Who writes the month first writes a decimal point; a point proves nothing."""
    comma = values.detect_formats(["17,80"], ["02/09/2026"], ".", "mdy", sender={"date order": "mdy"})
    assert (comma.date_order, comma.decided_by["date order"], comma.ambiguous) == ("dmy", "decimal comma", ())
    point = values.detect_formats(["17.80"], ["02/09/2026"])
    assert point.decided_by["date order"] == "contract"
