"""The careful road: a block with quotes, NUL or bad bytes is sorted into what is plain and what is not."""

from dataclasses import dataclass, field

from functions.ingest.readers import misfit
from functions.ingest.readers.encoding import is_text
from functions.ingest.readers.model import Reject
from functions.ingest.readers.record import Record, plain_records, read_record


@dataclass
class Sorted:
    """``plain``: one-line records for the fast parser, with their lines; ``rows``: records read here."""

    plain: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    blank: int = 0
    continued: int = 0  # lines of records beyond their first
    used: int = 0  # bytes; the rest waits for the next block


class Sorter:
    """Sorts blocks of one file."""

    def __init__(self, delimiter: bytes, width: int) -> None:
        self._delimiter = delimiter
        self._width = width
        self._run = plain_records(delimiter, width)

    def sort(self, line: int, data: bytes, final: bool) -> Sorted:
        """Sort a block that starts at ``line``. An open quote at its end waits, unless it is the last."""
        out = Sorted()
        while out.used < len(data):
            run = self._run.match(data, out.used)
            if run is None:
                lines = self._odd(line, data, final, out)
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

    def _odd(self, line: int, data: bytes, final: bool, out: Sorted) -> int:
        """Read one record that is not plain; return how many lines it took, 0 when it must wait."""
        start = out.used
        record = read_record(data, start, self._delimiter)
        if record.problem == "unclosed_quote" and record.at == len(data) and not final:
            return 0
        first_line = data.index(b"\n", start) + 1
        whole = not record.problem and (len(record.cells) == self._width or record.end <= first_line)
        out.used = record.end if whole else first_line
        raw = data[start : out.used]
        lines = raw.count(b"\n")
        out.continued += lines - 1
        if bad := misfit.unreadable(line, raw):
            out.rejects.append(bad)
        elif whole:
            self._keep(line, raw, record, out)
        else:
            same_line = record.problem == "bad_quote" and record.at < first_line
            out.rejects.append(misfit.broken_quote(line, raw, "bad_quote" if same_line else "unclosed_quote"))
        return lines

    def _keep(self, line: int, raw: bytes, record: Record, out: Sorted) -> None:
        if not any(c.strip() for c in record.cells):
            out.blank += 1
        elif len(record.cells) != self._width:
            out.rejects.append(misfit.misfit(line, raw, len(record.cells), self._width))
        else:
            out.rows.append((line, [c.decode() for c in record.cells]))
