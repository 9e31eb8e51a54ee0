"""Where records start with a line in JSON Lines, found by the reader's own rules, without making rows."""

import json
from collections.abc import Iterator

from functions.ingest.readers.json_clean import Template
from functions.ingest.readers.json_lines import Feed
from functions.ingest.readers.json_values import Values
from functions.ingest.readers.model import Facts

Start = tuple[int, int]


def starts(feed: Feed, name: str) -> Iterator[Start]:
    """Yield a line with which a record begins, and how many line feeds were read from there on; again and again.

    Raises:
        PermanentError: ``bad_json_array``.
    """
    template: Template | None = None
    while not feed.finished():
        template, end = _run(template, feed)
        if end > feed.place or (end := _object(feed)):
            feed.line += feed.data.count(b"\n", feed.place, end)
            feed.place = end
        elif feed.waits():
            feed.more()
            continue
        elif not _strictly(feed, name):
            return
        yield feed.line, _newlines(feed)


def _newlines(feed: Feed) -> int:
    return feed.data.count(b"\n", feed.place)


def _run(template: Template | None, feed: Feed) -> tuple[Template | None, int]:
    """Return how the lines are written, and where those end that are written alike."""
    end = template.end_of_run(feed.data, feed.place, feed.decodes) if template else feed.place
    if end == feed.place and (found := Template.of(feed.data, feed.place)):
        template, end = found, found.end_of_run(feed.data, feed.place, feed.decodes)
    return template, end


def _object(feed: Feed) -> int:
    """Return where the line ends, if it is exactly one object; 0 if not. Values that nobody looks at are not made."""
    end = feed.data.find(b"\n", feed.place) + 1
    if not end or feed.data[feed.place : feed.place + 1] != b"{":
        return 0
    try:
        value = json.loads(feed.data[feed.place : end].decode())
    except (ValueError, RecursionError):
        return 0
    return end if isinstance(value, dict) else 0


def _strictly(feed: Feed, name: str) -> bool:
    """Read on to a line behind a record; False at the end of the file."""
    values = Values(iter(feed.piece, b""), name, Facts(), feed.line)
    return any(feed.regained(values) for _ in values)
