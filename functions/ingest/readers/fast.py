"""The fast parser: Arrow's CSV parser on whole lines that hold nothing it would have to guess about."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from functions.ingest.readers.arrow import TEXT, text
from functions.ingest.readers.record import Syntax

# all that Python calls a blank (each of them is below U+3001), and DOS's end of a file
BLANKS = "".join(c for c in map(chr, range(0x3001)) if c.isspace()) + "\x1a"


@dataclass(frozen=True)
class Parsed:
    """Columns of text, and the lines whose width is wrong: their numbers (from 0) and their text."""

    columns: list[pa.Array]
    misfits: list[tuple[int, str]]


def parse(lines: bytes, syntax: Syntax, width: int) -> Parsed:
    """Return the cells of one-line records; nothing is trimmed, guessed or made NULL."""
    misfits: list[tuple[int, str]] = []

    def skip(row: csv.InvalidRow) -> str:
        misfits.append((row.number - 1, row.text))
        return "skip"

    names = [str(i) for i in range(width)]
    table = csv.read_csv(
        io.BytesIO(lines),
        read_options=csv.ReadOptions(use_threads=False, block_size=len(lines) + 1, column_names=names),
        parse_options=csv.ParseOptions(
            delimiter=syntax.delimiter.decode(),
            quote_char=syntax.quote.decode() if syntax.quote and syntax.quote in lines else False,
            newlines_in_values=False,
            ignore_empty_lines=False,
            invalid_row_handler=skip,
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, TEXT),
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
            check_utf8=False,  # checked before
        ),
    )
    return Parsed([c.combine_chunks() for c in table.columns], misfits)


def cut(lines: bytes, delimiter: bytes, width: int, places: Sequence[int]) -> list[pa.Array]:
    """Return some of the cells of lines that are known to have that width; quotes are signs like any other."""
    names = [str(i) for i in range(width)]
    wanted = [names[place] for place in places]
    table = csv.read_csv(
        io.BytesIO(lines),
        read_options=csv.ReadOptions(use_threads=False, block_size=len(lines) + 1, column_names=names),
        parse_options=csv.ParseOptions(delimiter=delimiter.decode(), quote_char=False, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, TEXT),
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    return [c.combine_chunks() for c in table.columns]


def all_blank(columns: list[pa.Array]) -> list[int]:
    """Return the rows whose cells hold nothing but blanks."""
    return _all_of(map(_are_blank, columns))


def _are_blank(column: pa.Array) -> pa.Array:
    return pc.equal(pc.utf8_trim(column, BLANKS), text(""))


def all_equal(columns: list[pa.Array], values: tuple[str, ...]) -> list[int]:
    """Return the rows whose cells are exactly these."""
    return _all_of(pc.equal(column, text(value)) for column, value in zip(columns, values, strict=True))


def _all_of(masks: Iterable[pa.Array]) -> list[int]:
    """Return the rows of which all masks are true; the rest is not looked at where no row is left."""
    whole = None
    for mask in masks:
        whole = mask if whole is None else pc.and_(whole, mask)
        if not pc.any(whole).as_py():
            return []
    rows: list[int] = pc.indices_nonzero(whole).to_pylist()
    return rows
