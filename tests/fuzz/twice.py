"""A file read by the fast parser and, a second time, by the strict one alone: both must say the same."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from functions.ingest.readers import delimited, json_lines, quoted, record, strict, xlsx_strings
from functions.ingest.readers.model import Facts, Target
from functions.ingest.readers.xlsx_shapes import Shape
from stockflow.errors import PermanentError
from tests.support.streams import buffered

MARK = "\ufeff"
_NOTHING = re.compile(rb"(?!)")
_STRING = re.compile("()(.*?</si>)", re.DOTALL)


@contextmanager
def only_strict() -> Iterator[None]:
    """Keep the fast parsers of CSV and JSON from reading anything, and rows of workbooks from being taken together."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(delimited, "is_plain", lambda *_: False))
        stack.enter_context(patch.object(delimited, "parse_quoted", lambda *_: None))
        stack.enter_context(patch.object(delimited, "parse_folded", lambda *_: None))
        stack.enter_context(patch.object(record, "whole_line", lambda *_: None))
        stack.enter_context(patch.object(strict, "plain_records", lambda *_: _NOTHING))
        stack.enter_context(patch.object(json_lines.Reader, "_run", lambda _: None))
        stack.enter_context(patch.object(Shape, "found", _each))
        stack.enter_context(patch.object(xlsx_strings, "_PLAIN", _STRING))
        yield


def _each(_: Shape, text: str) -> list[tuple[str, ...]]:
    return [(f"{row}</row>",) for row in text.split("</row>")[:-1]]


def said_of(decode: Callable[..., Any], data: bytes, target: Target) -> tuple[Any, ...]:
    """Return what a reader makes of a file: rows and rejects in their order and facts, or the code that refuses it."""
    facts = Facts()
    rows: list[dict[str, Any]] = []
    rejects: list[tuple[Any, ...]] = []
    try:
        for chunk in decode(buffered(data), target, facts):
            rows += chunk.batch.to_pylist() if chunk.batch is not None else []
            # a mark in front of a line, where two files were joined, is kept in the text or not
            rejects += [
                (r.line, r.code, *(t.replace(MARK, "") for t in (r.found, r.original_text))) for r in chunk.rejects
            ]
    except PermanentError as error:
        return ("refused", error.code)
    check_books(len(rows) + len(rejects), facts.values)
    return rows, rejects, {k: v for k, v in facts.values.items() if k != "short_lines" or v}


def check_books(records: int, facts: dict[str, Any]) -> None:
    """See that each line of a delimited file is a record, blank, a part of one, the header or above it."""
    if "continuation_lines" in facts:
        around = ("preamble_lines", "header_lines", "blank_lines", "continuation_lines")
        assert facts["physical_lines"] == records + sum(facts[n] for n in around), facts


def read_twice(decode: Callable[..., Any], data: bytes, target: Target) -> None:
    """Read a file both ways."""
    with patch.object(quoted, "ODD", 0):  # lines of another number of quotes may be any number
        fast = said_of(decode, data, target)
    with only_strict():
        slow = said_of(decode, data, target)
    for one, other in zip(fast, slow, strict=True):
        assert one == other, f"fast: {one!r}\nstrict: {other!r}"
