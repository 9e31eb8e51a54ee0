"""A header with one delimiter more or less than its rows: put right when the rows leave one way only."""

from collections import Counter
from collections.abc import Sequence

from functions.ingest.readers.fits import Fit
from functions.ingest.readers.model import Target

MOST = 0.9  # of the sampled rows must agree on their width


def aligned(header: tuple[str, ...], rows: Sequence[tuple[str, ...]], target: Target) -> tuple[str, ...]:
    """Return the header with as many cells as the rows have; as it is where that is not certain."""
    width, times = Counter(map(len, rows)).most_common(1)[0] if rows else (len(header), 0)
    if len(rows) < 2 or times < MOST * len(rows) or width == len(header):
        return header
    usual = [r for r in rows if len(r) == width]
    return _wider(header, usual, target) if width > len(header) else _narrower(header, usual, target)


def _wider(header: tuple[str, ...], rows: Sequence[tuple[str, ...]], target: Target) -> tuple[str, ...]:
    """Delimiters behind each row; or a cell without a name, before or behind all others."""
    more = ("",) * (len(rows[0]) - len(header))
    if not any(cell.strip() for row in rows for cell in row[len(header) :]):
        return header + more
    return _only([header + more, more + header], header, rows, target) if len(more) == 1 else header


def _narrower(header: tuple[str, ...], rows: Sequence[tuple[str, ...]], target: Target) -> tuple[str, ...]:
    """A delimiter behind the header; or two in its middle where the rows have one."""
    width = len(rows[0])
    if not any(name.strip() for name in header[width:]):
        return header[:width]
    if len(header) - width > 1 or all(Fit.of(header, target).complete(row) for row in rows):
        return header
    without = [header[:i] + header[i + 1 :] for i, name in enumerate(header) if not name.strip()]
    return _only(without, header, rows, target)


def _only(
    candidates: list[tuple[str, ...]], header: tuple[str, ...], rows: Sequence[tuple[str, ...]], target: Target
) -> tuple[str, ...]:
    """Return the one header under which all dates and numbers stand where they belong."""
    fitting = {c for c in candidates if _fits(Fit.of(c, target), rows)}
    return fitting.pop() if len(fitting) == 1 else header


def _fits(fit: Fit, rows: Sequence[tuple[str, ...]]) -> bool:
    return all(fit.holds(row) for row in rows) and any(fit.tells(row) for row in rows)
