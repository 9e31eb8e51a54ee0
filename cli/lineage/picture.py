"""A lineage as a picture: boxes in columns from left to right, an arrow for each step. Pure."""

from collections.abc import Iterable, Mapping
from html import escape

Steps = Iterable[tuple[str, str]]
WIDTH, HEIGHT, ACROSS, DOWN, MARGIN = 210, 26, 290, 36, 20
LETTERS = 33  # that fit into a box
COLOURS = {
    "file": "#e8e8e8", "inventory_raw": "#fdebd0", "inventory_curated": "#d6eaf8", "inventory_kpi": "#d5f5e3",
    "inventory_reporting": "#ebdef0",
}  # fmt: skip


def svg(steps: Steps, asked: str, labels: Mapping[str, str]) -> str:
    """Return an SVG of steps (from, to); ``asked`` is drawn with a thick line, ``labels`` name the boxes."""
    drawn = sorted(set(steps))
    columns = _columns(drawn, asked)
    most = max(map(len, columns))
    place = {
        name: (MARGIN + x * ACROSS, MARGIN + y * DOWN)  # all begin at the top: the first columns are seen at once
        for x, names in enumerate(columns)
        for y, name in enumerate(names)
    }
    width = 2 * MARGIN + (len(columns) - 1) * ACROSS + WIDTH
    height = 2 * MARGIN + most * DOWN
    body = [_arrow(place[a], place[b]) for a, b in drawn]
    body += [_box(place[name], labels.get(name, name), _colour(name), name == asked) for name in place]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *body, "</svg>", ""])


def _columns(steps: list[tuple[str, str]], asked: str) -> list[list[str]]:
    """Return the boxes of each column: each box right of all that it comes from, near those it belongs to."""
    depth = {name: 0 for step in steps for name in step} or {asked: 0}
    for _ in depth:  # the longest path has fewer steps than there are boxes
        moved = [(b, depth[a] + 1) for a, b in steps if depth[b] <= depth[a]]
        if not moved:
            break
        depth.update(moved)
    columns: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in sorted(depth):
        columns[depth[name]].append(name)
    row: dict[str, float] = {}
    for names in columns:
        before = {name: [row[a] for a, b in steps if b == name and a in row] for name in names}
        names.sort(key=lambda n: (sum(before[n]) / len(before[n]) if before[n] else 0, n))
        row |= {name: float(number) for number, name in enumerate(names)}
    return columns


def _colour(name: str) -> str:
    return COLOURS.get(name.partition(".")[0], COLOURS["file"])


def _box(place: tuple[int, int], label: str, colour: str, is_asked: bool) -> str:
    x, y = place
    text = label if len(label) <= LETTERS else f"{label[: LETTERS - 1]}…"
    line = 2.5 if is_asked else 0.8
    return (
        f'<g><title>{escape(label)}</title><rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="4" '
        f'fill="{colour}" stroke="#444" stroke-width="{line}"/>'
        f'<text x="{x + 8}" y="{y + 17}" font-size="11">{escape(text)}</text></g>'
    )


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    x, y, to, at = start[0] + WIDTH, start[1] + HEIGHT // 2, end[0], end[1] + HEIGHT // 2
    bend = (x + to) // 2
    return f'<path d="M{x},{y} C{bend},{y} {bend},{at} {to},{at}" fill="none" stroke="#999" stroke-width="0.8"/>'
