"""The strict parser: a block with quotes, NUL or bad bytes is sorted into what is plain and what is not."""

import re
from dataclasses import dataclass, field

from functions.ingest.readers import misfit
from functions.ingest.readers.dialect import Dialect
from functions.ingest.readers.encoding import is_text
from functions.ingest.readers.fast import BLANKS
from functions.ingest.readers.fits import Fit
from functions.ingest.readers.headers import Headers
from functions.ingest.readers.layout import Layout
from functions.ingest.readers.model import Reject, Target
from functions.ingest.readers.record import Record, Syntax, plain_records, read_record, read_whole

_DRAWN = re.compile(r"(?=.*(?:---|===|___))[-+=_|: \t]+")


@dataclass(frozen=True)
class Form:
    """What the records of one file are held against."""

    syntax: Syntax
    layout: Layout
    fit: Fit
    headers: Headers

    @classmethod
    def of(cls, dialect: Dialect, layout: Layout, target: Target) -> "Form":
        """Return the form of a file of that dialect and layout."""
        return cls(
            dialect.syntax,
            layout,
            Fit(layout.columns, target, layout.width, dialect.filled, dialect.usual),
            Headers(layout.columns, target),
        )

    @property
    def width(self) -> int:
        """How many cells a record has."""
        return self.layout.width

    def take(self, line: int, raw: bytes, cells: list[str], out: "Sorted", cut: bool = False) -> None:
        """Put a record where it belongs. ``cut``: the file may end in the middle of it."""
        header = self.layout.header
        if _is_blank(cells, self.width):
            out.blank += 1
        elif cells == list(header[: len(cells)]) or (self.headers.may_be(cells) and self.headers.repeated(line, cells)):
            out.rejects.append(misfit.repeated_header(line, raw))
        elif len(cells) == self.width:
            out.rows.append((line, cells))
        elif not cut and self.fit.complete(cells) and not _doubtful(cells, self.syntax):
            out.short += 1
            out.rows.append((line, cells + [""] * (self.width - len(cells))))
        else:
            out.rejects.append(misfit.misfit(line, raw, len(cells), self.width))


def _is_blank(cells: list[str], width: int) -> bool:
    """Whether a record says nothing: DOS's end of a file, and lines that are drawn between rows, do not either."""
    text = "".join(cells).strip(BLANKS)
    return not text or (len(cells) != width and _DRAWN.fullmatch(text) is not None)


def _doubtful(cells: list[str], syntax: Syntax) -> bool:
    """Whether a quote in a cell may come from a delimiter that is missing."""
    quote = syntax.quote.decode()
    return any(quote in c and not c.startswith("=") for c in cells)


@dataclass
class Sorted:
    """``plain``: one-line records for the fast parser, with their lines; ``rows``: records read here."""

    plain: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    blank: int = 0
    short: int = 0  # rows whose last, optional cells are missing
    continued: int = 0  # lines of records beyond their first
    used: int = 0  # bytes; the rest waits for the next block


class Sorter:
    """Sorts blocks of one file."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._syntax = form.syntax
        self._run = plain_records(form.syntax, form.width)

    def sort(self, line: int, data: bytes, final: bool, cut: bool = False) -> Sorted:
        """Sort a block that starts at ``line``. An open quote at its end waits, unless it is the last."""
        out = Sorted()
        while out.used < len(data):
            run = self._run.match(data, out.used)
            if run is None:
                lines = self._odd(line, data, final, cut, out)
                if lines == 0:
                    break
            else:
                lines = run[0].count(b"\n")
                self._plain(line, run[0], out)
                out.used = run.end()
            line += lines
        return out

    def _plain(self, line: int, run: bytes, out: Sorted) -> None:
        if is_text(run):
            out.plain.append(run)
            out.lines.extend(range(line, line + run.count(b"\n")))
            return
        for number, raw in enumerate(run.splitlines(keepends=True), line):  # bytes: only at \r and \n
            if bad := misfit.unreadable(number, raw):
                out.rejects.append(bad)
            else:
                out.plain.append(raw)
                out.lines.append(number)

    def _odd(self, line: int, data: bytes, final: bool, cut: bool, out: Sorted) -> int:
        """Read one record that is not plain; return how many lines it took, 0 when it must wait."""
        start = out.used
        record = read_whole(data, start, self._syntax, self._form.width) or read_record(data, start, self._syntax)
        if record.problem == "unclosed_quote" and record.at == len(data) and not final:
            return 0
        first_line = data.index(b"\n", start) + 1
        whole = not record.problem and (self._acceptable(record) or record.end <= first_line)
        out.used = record.end if whole else first_line
        raw = data[start : out.used]
        lines = raw.count(b"\n")
        out.continued += lines - 1
        if bad := misfit.unreadable(line, raw):
            out.rejects.append(bad)
        elif whole:
            ends = cut and out.used == len(data)
            self._form.take(line, raw, [c.decode() for c in record.cells], out, ends)
        else:
            here = record.at < first_line and record.problem in {"bad_quote", "joined_cells"}
            out.rejects.append(misfit.broken_quote(line, raw, record.problem if here else "unclosed_quote"))
        return lines

    def _acceptable(self, record: Record) -> bool:
        """Whether a record of several lines is one; another width means that a quote was left open."""
        return len(record.cells) == self._form.width
