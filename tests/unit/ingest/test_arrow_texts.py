"""Texts that Arrow reads as the lines of a file are those that it is given one by one."""

from unittest.mock import patch

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from functions.ingest.readers import arrow

signs = st.characters(codec="utf-8") | st.sampled_from(",\"'\\\0\x1f\ufeff")
anything = st.text(signs | st.sampled_from("\n\r"), max_size=5)


@given(st.lists(st.text(signs, max_size=5), max_size=8) | st.lists(anything | st.none(), max_size=8))
def test_texts_are_what_they_were(values: list[str | None]) -> None:
    with patch.object(arrow, "FEW", -1):
        found = arrow.texts(values)
    assert found.type == pa.string()
    assert found.to_pylist() == values


def test_much_text_is_not_joined() -> None:
    with patch.object(arrow, "FEW", -1), patch.object(arrow, "MUCH", 3):
        assert arrow.texts(["abc", "é"]).to_pylist() == ["abc", "é"]
