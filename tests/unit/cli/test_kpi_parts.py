"""The parts of a change add up to it, exactly, whatever the cells are; and they name what really happened."""

from fractions import Fraction

from hypothesis import given, reject
from hypothesis import strategies as st

from cli.kpi.parts import Cells, Split, of_amount, of_ratio, of_sum

KEYS = st.tuples(st.sampled_from("ABC"), st.sampled_from(["P1", "P2"]))
NUMBERS = st.builds(Fraction, st.integers(-2_000, 2_000), st.integers(1, 20))  # st.fractions draws ten times as long
CELLS = st.dictionaries(KEYS, st.tuples(NUMBERS, NUMBERS), max_size=6)


def place(key: tuple[str, str]) -> str:
    return key[1]


def adds_up(split: Split) -> None:
    assert sum(split.parts.values()) == split.change
    assert sum(sum(parts.values()) for parts in split.cells.values()) == split.change


@given(CELLS, CELLS)
def test_the_parts_of_a_ratio_add_up(before: Cells, after: Cells) -> None:
    split = of_ratio(before, after, place)
    if split is None:
        reject()
    adds_up(split)
    assert split.start == sum(n for n, _ in before.values()) / sum(d for _, d in before.values())


@given(CELLS, CELLS)
def test_the_parts_of_an_amount_add_up_for_each_cell_too(before: Cells, after: Cells) -> None:
    split = of_amount(before, after, place)
    adds_up(split)
    for key, parts in split.cells.items():
        assert sum(parts.values()) == after.get(key, (0, 0))[0] - before.get(key, (0, 0))[0]


@given(st.dictionaries(KEYS, NUMBERS), st.dictionaries(KEYS, NUMBERS))
def test_the_parts_of_a_sum_add_up(before: dict, after: dict) -> None:
    adds_up(of_sum(before, after))


def parts(split: Split | None) -> dict[str, Fraction]:
    assert split is not None
    return {name: amount for name, amount in split.parts.items() if amount}


ONE, TWO = ("A", "P1"), ("B", "P2")


def test_more_units_at_the_same_price_are_volume() -> None:
    before = {ONE: (Fraction(20), Fraction(10)), TWO: (Fraction(50), Fraction(10))}
    after = {key: (2 * amount, 2 * units) for key, (amount, units) in before.items()}
    assert parts(of_amount(before, after, place)) == {"volume": 70}


def test_another_price_for_the_same_units_is_price() -> None:
    before = {ONE: (Fraction(20), Fraction(10)), TWO: (Fraction(50), Fraction(10))}
    after = {**before, ONE: (Fraction(25), Fraction(10))}
    assert parts(of_amount(before, after, place)) == {"price": 5}


def test_units_that_move_to_a_dearer_location_are_mix() -> None:
    before = {ONE: (Fraction(20), Fraction(10)), TWO: (Fraction(50), Fraction(10))}
    after = {ONE: (Fraction(10), Fraction(5)), TWO: (Fraction(75), Fraction(15))}
    assert parts(of_amount(before, after, place)) == {"mix_location": 15}


def test_units_that_move_to_a_dearer_sku_of_the_location_are_mix_of_skus() -> None:
    other = ("B", "P1")
    before = {ONE: (Fraction(20), Fraction(10)), other: (Fraction(50), Fraction(10))}
    after = {ONE: (Fraction(10), Fraction(5)), other: (Fraction(75), Fraction(15))}
    assert parts(of_amount(before, after, place)) == {"mix_sku": 15}


def test_of_a_ratio_the_side_that_changed_is_named() -> None:
    before = {ONE: (Fraction(30), Fraction(2))}
    assert parts(of_ratio(before, {ONE: (Fraction(20), Fraction(2))}, place)) == {"numerator": -5}
    assert parts(of_ratio(before, {ONE: (Fraction(30), Fraction(3))}, place)) == {"denominator": -5}


def test_weight_that_moves_to_a_location_with_another_ratio_is_mix() -> None:
    before = {ONE: (Fraction(10), Fraction(1)), TWO: (Fraction(30), Fraction(1))}
    after = {ONE: (Fraction(10), Fraction(1)), TWO: (Fraction(90), Fraction(3))}
    assert parts(of_ratio(before, after, place)) == {"mix_location": 5}


def test_a_ratio_without_a_denominator_has_no_parts() -> None:
    assert of_ratio({ONE: (Fraction(1), Fraction(0))}, {ONE: (Fraction(1), Fraction(1))}, place) is None
