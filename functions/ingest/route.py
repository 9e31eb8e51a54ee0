"""Where a landed object goes: the feed that its first folder names, or nowhere, with the reason."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath

from functions.ingest.control import is_control

MARKERS = {"_success", "_committed", "_started", "_metadata", "_common_metadata", "thumbs.db", "desktop.ini"}
TEMPORARY = {".tmp", ".temp", ".part", ".partial", ".crdownload", ".filepart", ".swp", ".lock"}


@dataclass(frozen=True)
class Route:
    """``feed`` when the object is to be read; otherwise ``reason`` (a code) and ``message``."""

    feed: str | None
    reason: str = ""
    message: str = ""


def route(name: str, feeds: Collection[str], size: int | None = None) -> Route:
    """Return where the object of that name goes; ``size`` in bytes, where it is known."""
    folder, _, rest = name.partition("/")
    if ignored := _ignored(name, size):
        return ignored
    if not rest or folder not in feeds:
        return Route(None, "unknown_feed", _unknown(name, folder if rest else "", feeds))
    return Route(folder)


def _ignored(name: str, size: int | None) -> Route | None:
    """Return why an object is not data, as its name says."""
    file = PurePosixPath(name).name.lower()
    if name.endswith("/"):
        return Route(None, "folder_marker", f"{name!r} is a folder, not a file")
    if file in MARKERS:
        return Route(None, "marker", f"{name!r} is a marker that a tool leaves behind, not data")
    if file.startswith((".", "~$")) or file.endswith("~"):
        return Route(None, "hidden_file", f"{name!r} is a hidden file of an editor or a system")
    if PurePosixPath(file).suffix in TEMPORARY:
        return Route(None, "temporary", f"{name!r} is an upload that was not finished; drop it under its own name")
    if is_control(file, size):
        return Route(None, "control_file", f"{name!r} says something about another file; it is not data itself")
    return None


def _unknown(name: str, folder: str, feeds: Collection[str]) -> str:
    found = f"folder {folder!r} is not a feed" if folder else "there is no folder in front of the name"
    return f"{name!r}: {found}; expected <feed>/<file> with one of: {', '.join(sorted(feeds))}"
