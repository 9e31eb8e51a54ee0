"""The text of a sender's profile with more in it: what a person wrote, comments too, stays as it is."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from cli.output import CommandError


def with_headers(text: str, feed: str, headers: Mapping[str, str]) -> str:
    """Return a profile that also declares these headers (header -> column) of a feed.

    Raises:
        CommandError: when the profile is written in a way that cannot be added to, with what to add by hand.
    """
    before = yaml.safe_load(text) or {}
    lines = text.splitlines()
    at = _level(lines, 0, ("feeds", feed, "headers"), headers)
    changed = "\n".join(at) + "\n"
    try:
        after: Any = yaml.safe_load(changed)
    except yaml.YAMLError:
        after = None
    if after != _expected(before, feed, headers):
        by_hand = yaml.safe_dump({"feeds": {feed: {"headers": dict(headers)}}}, allow_unicode=True).strip()
        raise CommandError(f"the profile cannot be changed without losing how it is written; add by hand:\n{by_hand}")
    return changed


def _expected(before: dict[str, Any], feed: str, headers: Mapping[str, str]) -> dict[str, Any]:
    feeds = before.get("feeds") or {}
    own = feeds.get(feed) or {}
    both = {**(own.get("headers") or {}), **headers}
    return {**before, "feeds": {**feeds, feed: {**own, "headers": both}}}


def _level(lines: list[str], indent: int, path: tuple[str, ...], headers: Mapping[str, str]) -> list[str]:
    """Return the lines of a block (its keys begin at ``indent``) with the headers below the keys of ``path``."""
    pad = " " * indent
    if not path:
        return [*(f"{pad}{_quoted(h)}: {column}" for h, column in headers.items()), *lines]
    key = re.compile(rf"{pad}{re.escape(path[0])}:\s*(#.*)?$")
    start = next((i for i, line in enumerate(lines) if key.match(line)), None)
    if start is None:
        return [*lines, f"{pad}{path[0]}:", *_level([], indent + 2, path[1:], headers)]
    end = next((i for i in range(start + 1, len(lines)) if _outside(lines[i], indent)), len(lines))
    block = lines[start + 1 : end]
    inner = next((len(x) - len(x.lstrip()) for x in block if x.strip() and not x.lstrip().startswith("#")), indent + 2)
    return [*lines[: start + 1], *_level(block, inner, path[1:], headers), *lines[end:]]


def _outside(line: str, indent: int) -> bool:
    """Whether a line is not of the block below a key at ``indent`` any more."""
    return bool(line.strip()) and len(line) - len(line.lstrip()) <= indent


def _quoted(header: str) -> str:
    return yaml.safe_dump(header, default_style='"', allow_unicode=True, width=1_000).strip()
