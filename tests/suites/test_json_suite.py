"""JSONTestSuite: each text as the value of a record's field, in three layouts of a file.

A text that is JSON gives a row, one that is not JSON never does.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.suites.reading import Reading, read

# Not JSON by the standard, and still written by many programs: kept as a text in a column that nobody reads, refused
# by the column's type in others.
NAMES_OF_NUMBERS = {"n_number_NaN.json", "n_number_infinity.json", "n_number_minus_infinity.json"}
# The standard leaves open what a key that stands twice means: nobody knows which value counts.
AMBIGUOUS = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}
LAYOUTS = {
    "lines": '{{"id": "A1", "other": {}}}\n{{"id": "A2"}}\n',
    "array": '[{{"id": "A1", "other": {}}}, {{"id": "A2"}}]',
    "printed": '[\n  {{\n    "id": "A1",\n    "other": {}\n  }},\n  {{\n    "id": "A2"\n  }}\n]\n',
}


def texts(suite: Callable[[str], Path], first: str) -> list[tuple[str, str]]:
    """Return name and text of the suite's cases; those with bytes that are no text were lost in the package."""
    written = (suite("json-test-suite") / "data" / "parsing.js").read_text(encoding="utf-8")
    cases = json.loads(written[written.index("[") :].rstrip().rstrip(";"))
    return [(c["name"], c["input"]) for c in cases if c["name"].startswith(first) and "\ufffd" not in c["input"]]


def read_within(text: str, layout: str) -> Reading:
    """Read a file with a record that holds the text, and a good one behind it."""
    return read(LAYOUTS[layout].format(text).encode("utf-8", "surrogatepass"), ["id"], "x.json")


def as_texts(value: Any) -> Any:
    """Return a value with its numbers as texts: they are kept as they were written."""
    if isinstance(value, dict):
        return {k: as_texts(v) for k, v in value.items()}
    if isinstance(value, list):
        return [as_texts(v) for v in value]
    return value


@pytest.mark.parametrize("layout", LAYOUTS)
def test_json_is_accepted_with_its_value(suite: Callable[[str], Path], layout: str) -> None:
    """Given texts that are JSON, when they are read, then each is a row that holds the text's value."""
    wrong = []
    for name, text in texts(suite, "y_"):
        found = read_within(text, layout)
        if name in AMBIGUOUS:
            wrong += [name] if found.codes != {"duplicate_key"} else []
            continue
        value = json.loads(text, parse_int=str, parse_float=str)
        if found.codes or len(found.rows) != 2 or as_texts(json.loads(found.extra[0] or "")["other"]) != value:
            wrong.append(name)

    assert wrong == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_not_json_is_refused(suite: Callable[[str], Path], layout: str) -> None:
    """Given texts that are not JSON, when they are read, then none is a row, and in lines the next record still is."""
    cases = [(name, text) for name, text in texts(suite, "n_") if name not in NAMES_OF_NUMBERS]
    wrong = []
    for name, text in cases:
        found = read_within(text, layout)
        ids = [row["id"] for row in found.rows]
        if "A1" in ids or not found.codes or (layout == "lines" and ids != ["A2"]):
            wrong.append(f"{name}: {ids} {found.codes}")

    assert len(cases) > 150 and wrong == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_parsers_may_decide_ends_well(suite: Callable[[str], Path], layout: str) -> None:
    """Given texts that are for the parser to decide, when they are read, then each record is a row or refused."""
    for name, text in texts(suite, "i_"):
        found = read_within(text, layout)
        assert len(found.rows) + len(found.rejects) == 2 or found.refused, name


def test_a_whole_file_ends_well(suite: Callable[[str], Path]) -> None:
    """Given each text as a whole file, when it is read, then only an object, or objects in a list, can be rows."""
    for name, text in texts(suite, ""):
        if read(text.encode(), ["id"], "x.json").rows:
            value = json.loads(text.lstrip("\ufeff"))
            assert isinstance(value, dict) or any(isinstance(v, dict) for v in value), name
