"""JSON lines read by column and JSON lines read strictly give the same: rows, rejects, lines, facts."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from functions.ingest.readers import encoding, json_lines
from functions.ingest.readers.json_clean import Template
from tests.unit.ingest.reading import Reading, read

BASE = {"receipt_number": "R", "line_number": 1, "business_date": "2026-09-01", "sku": "A", "location_code": "L"}
CLEAN = json.dumps({**BASE, "quantity": 1, "note": "é, x", "n": None}, ensure_ascii=False)
VALUES = st.sampled_from(
    ['"A"', '"é,"', '", "', '"null"', '""', "null", "true", "false", "0", "-1.50", "1e400", "12345678901234567890123",
     '"\\ud83d"', '"\\u00e9"', '"a\\"b"', "[1, 2.50]", '{"x": 1.0}', "01", "NaN", '"\x01"', "tru", '"\x1f"']
)  # fmt: skip
BLANKS = st.sampled_from(["", "", "", " ", "\t"])


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line of JSON, or nearly so."""
    kind = draw(st.integers(0, 11))
    if kind < 5:
        return CLEAN
    if kind == 5:
        return draw(
            st.sampled_from(["", " ", "[]", "[1]", '"a"', "}{", CLEAN[:-9], CLEAN + CLEAN, CLEAN + " x", CLEAN + ","])
        )
    names = ["sku", "quantity", "note", draw(st.sampled_from(["sku", "n", "Qté", 'a"b', "a, b"]))]
    pairs = [
        f"{json.dumps(n, ensure_ascii=False)}:{draw(BLANKS)}{draw(VALUES)}" for n in names[: draw(st.integers(1, 4))]
    ]
    return "{" + ", ".join([json.dumps(BASE)[1:-1], *pairs]) + draw(BLANKS) + "}" + draw(BLANKS)


def strict(data: bytes, monkey: pytest.MonkeyPatch) -> Reading:
    with monkey.context() as patched:
        patched.setattr(Template, "of", lambda *_: None)
        patched.setattr(json_lines, "SLOW", -1)
        patched.setattr(json_lines.Reader, "_gave_up", lambda _: True)
        return outcome(data)


def outcome(data: bytes) -> Any:
    try:
        found = read(data, name="sales/x.jsonl")
    except Exception as error:
        return type(error), str(error)
    return found.rows, found.rejects, found.facts


@given(
    texts=st.lists(lines(), min_size=1, max_size=12),
    newline=st.sampled_from(["\n", "\n", "\r\n", "\n\n"]),
    end=st.sampled_from(["", "\n", "\n\n "]),
    bad=st.sampled_from([b"", b"", b"\xff", b"\xef\xbb\xbf"]),
    block=st.sampled_from([50, 300, 2 << 20]),
)
@example(texts=[CLEAN, "[" + CLEAN + ",", CLEAN + "]"], newline="\n", end="", bad=b"", block=50)
@example(texts=[CLEAN, '{"sku":', '"A", "quantity": 2}', CLEAN], newline="\n", end="\n", bad=b"", block=50)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_by_column_and_strictly_the_same_is_read(
    texts: list[str], newline: str, end: str, bad: bytes, block: int
) -> None:
    whole = (newline.join(texts) + end).encode("utf-8", "surrogatepass")
    data = whole[: len(whole) // 2] + bad + whole[len(whole) // 2 :]
    with pytest.MonkeyPatch.context() as monkey:
        monkey.setattr(encoding, "BLOCK", block)
        assert outcome(data) == strict(data, monkey)


def test_clean_lines_are_read_by_column() -> None:
    data = (CLEAN + "\n").encode()
    template = Template.of(data, 0)
    assert template is not None
    assert template.end_of_run(data * 3 + b"{}\n", 0, True) == len(data) * 3
    by_signs, by_quotes = template.columns(data * 2, alike=False), template.columns(data * 2, alike=True)
    assert [c.values.to_pylist() for c in by_signs][-2:] == [['"é, x"'] * 2, ["null"] * 2]
    assert [c.values.to_pylist() for c in by_quotes][-2:] == [["é, x"] * 2, ["null"] * 2]
    for one, other in zip(by_signs, by_quotes, strict=True):
        assert one.plain().equals(other.plain()) and one.quoted().equals(other.quoted())


@pytest.mark.parametrize(
    ("change", "alike"), [({}, True), ({"note": "\u20ac"}, True), ({"note": None}, True), ({"quantity": "1"}, False)]
)
def test_lines_are_alike_when_texts_stand_where_texts_stood(change: dict[str, Any], alike: bool) -> None:
    other = json.dumps(json.loads(CLEAN) | change, ensure_ascii=False)
    data = f"{CLEAN}\n{other}\n{CLEAN}\n".encode()
    template = Template.of(data, 0)
    assert template is not None
    assert template.run(data, 0, True) == (len(data), alike)
    notes = [json.loads(r["_extra"])["note"] for r in read(data, name="sales/x.jsonl").rows]
    assert notes == ["é, x", json.loads(other)["note"], "é, x"]


def test_lines_that_are_all_written_differently_are_left_to_the_strict_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for runs may not cost more than it saves."""
    tried: list[int] = []
    whole = json_lines.Reader._run
    monkeypatch.setattr(json_lines.Reader, "_run", lambda self: tried.append(1) or whole(self))
    text = "".join(json.dumps({**BASE, "quantity": 1} | ({"note": 1} if i % 2 else {})) + "\n" for i in range(2_000))
    assert len(read(text.encode(), name="sales/x.jsonl").rows) == 2_000
    assert len(tried) < 300


def test_records_of_one_line_come_in_large_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given an array of thousands of records on one line, then no record has a chunk, and its columns, of its own."""
    made: list[int] = []
    whole = json_lines.joined
    monkeypatch.setattr(json_lines, "joined", lambda chunks: whole(made.append(1) or chunk for chunk in chunks))
    found = read(("[" + ", ".join([CLEAN] * 3_000) + "]").encode(), name="sales/x.json")
    assert len(found.rows) == 3_000 and len(made) <= 3
