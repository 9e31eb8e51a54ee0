"""A definition's worked examples, run in this process; what differs is told with the line of the header."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from cli.kpi.fault import Fault
from functions.kpi.columns import Columns
from functions.kpi.definition import Definition
from functions.kpi.examples import compared, example_sql
from local.in_process import NotRunError, rows
from stockflow.errors import PermanentError

Lines = list[tuple[int, list[int]]]  # the line of each example, and of each of its expected rows


def example_faults(
    definition: Definition, text: str, known: Mapping[str, Columns], views: Mapping[str, str]
) -> Iterator[Fault]:
    """Yield what the worked examples of a definition show: wrong rows, rows twice, columns that nobody has."""
    file = f"{definition.name}.sql"
    places = example_lines(text)
    for number, (example, (line, expected)) in enumerate(zip(definition.examples, places, strict=False), 1):
        try:
            found = rows(example_sql(definition, example["given"] or {}, known, views))
        except PermanentError as error:
            yield Fault(file, line, 0, f"example {number}: {error.facts.get('what', error.message)}")
            continue
        except NotRunError as error:
            yield Fault(file, line, 0, f"example {number} cannot be computed: {error}")
            continue
        twice = list(_twice(definition, found))
        yield from (Fault(file, line, 0, f"example {number}: {words}") for words in twice)
        # Where a row is there twice, which of them is not as expected says nothing more.
        for place, words in [] if twice else compared(definition, example["expect"] or [], found):
            yield Fault(file, expected[place] if place is not None else line, 0, f"example {number}: {words}")


def _twice(definition: Definition, found: list[dict[str, Any]]) -> Iterator[str]:
    """Two rows of one day and grain: a join that multiplies, or a column that the grain lacks."""
    grain = ("business_date", *definition.grain)
    counts = Counter(tuple(row.get(c) for c in grain) for row in found)
    for key, count in counts.items():
        if count > 1:
            where = ", ".join(f"{c} {v}" for c, v in zip(grain, key, strict=True))
            yield f"{count} rows for {where}: expected one, the grain is {', '.join(definition.grain) or 'the day'}"


def example_lines(text: str) -> Lines:
    """Return where the examples stand in a definition's text."""
    start, end = text.find("/*"), text.find("*/")
    tree = yaml.compose(text[start + 2 : end], Loader=yaml.SafeLoader)
    before = text.count("\n", 0, start) + 1
    found: Lines = []
    for key, value in tree.value if isinstance(tree, yaml.MappingNode) else []:
        if key.value == "examples":
            for example in value.value:
                inner = {k.value: v for k, v in example.value}
                expected = inner.get("expect")
                lines = [n.start_mark.line + before for n in expected.value] if expected is not None else []
                found.append((example.start_mark.line + before, lines))
    return found
