"""The elements of a JSON array, one after another, without reading the whole array at once."""

import json
import re
from collections.abc import Iterator

from functions.ingest.readers.lines import Block
from stockflow.errors import PermanentError

MAX_ELEMENT = 10_000_000
_GAP = re.compile(r"[\s,]*")
_scan = json.JSONDecoder().raw_decode


def elements(first: Block, parts: Iterator[Block], name: str) -> Iterator[tuple[int, str]]:
    """Yield (line, JSON text) of each element.

    Raises:
        PermanentError: ``bad_json_array``; behind a mistake nobody knows where the next element starts.
    """
    text = first.data.decode("utf-8", "replace")
    place = text.index("[") + 1
    line = first.line + text.count("\n", 0, place)  # of place
    while True:
        gap = _GAP.match(text, place)
        assert gap is not None
        start = gap.end()
        if start < len(text) and text[start] == "]":
            return
        try:
            _, end = _scan(text, start)
        except ValueError as error:
            more = next(parts, None)
            if more is None or len(text) - start > MAX_ELEMENT:
                raise _broken(name, line + text.count("\n", place, start), error) from error
            line += text.count("\n", place, start)
            text, place = text[start:] + more.data.decode("utf-8", "replace"), 0
            continue
        yield line + text.count("\n", place, start), text[start:end]
        line += text.count("\n", place, end)
        place = end


def _broken(name: str, line: int, error: ValueError) -> PermanentError:
    return PermanentError(
        "bad_json_array",
        f"{name}: the JSON array is damaged near line {line} ({error}); expected [{{...}}, {{...}}]. "
        "Send it again, or as JSON Lines, where a bad line costs only itself",
        line=line,
    )
