"""Rows of a workbook that are read together are what they are one by one: chunks, refused rows, texts and counts."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.sheets import read_twice


@settings(max_examples=60)
@given(st.integers(0, 1 << 32))
def test_a_workbook_says_the_same_whether_its_rows_are_read_together_or_not(seed: int) -> None:
    read_twice(random.Random(seed))
