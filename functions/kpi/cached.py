"""What was found once, kept in a folder for the processes after this one; nowhere, unless one is named.

A command asks what the one before it asked of the same definitions: what a parser finds in them, and their texts in
the bucket. Each finding is a file named by the hash of all that decides it. The folder can be deleted at any time; a
file that is not as it was written counts as none.
"""

import json
import os
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stockflow.identity import digest

MOST = 4_000  # files; then the older half goes
_folders: list[Path] = []


def keep_in(folder: Path | None) -> None:
    """Keep what is found in this folder from now on; None: nowhere."""
    _folders[:] = [folder] if folder else []


def kept(find: Callable[[], Any], *parts: object) -> Any:
    """Return what ``find`` returned for these parts before, or returns now; it is what JSON can hold."""
    known = recall(*parts)
    if known is None:
        known = find()
        keep(known, *parts)
    return known


def recall(*parts: object) -> Any | None:
    """Return what was kept of these parts, or None."""
    try:
        checksum, _, text = _file(*parts).read_text(encoding="utf-8").partition("\n")
        return json.loads(text) if _folders and checksum == digest(text) else None
    except (OSError, ValueError):
        return None


def keep(value: Any, *parts: object) -> None:
    """Keep a value, where a folder is named and can be written to."""
    if not _folders:
        return
    text, path = json.dumps(value, ensure_ascii=False), _file(*parts)
    half = path.with_suffix(f".{os.getpid()}.part")
    try:
        _tidy(_folders[0])
        half.write_text(f"{digest(text)}\n{text}", encoding="utf-8")
        half.replace(path)
    except OSError:  # nothing is lost
        return


@cache
def parser() -> str:
    """Return the version of what reads SQL: the parser's, and that of the code around it."""
    spec = find_spec("sqlglot")
    files = sorted(Path(__file__).parent.glob("*.py"))
    if spec is not None and spec.origin is not None:
        files.append(Path(spec.origin).with_name("_version.py"))
    return digest(*(path.read_bytes() for path in files if path.exists()))


def _file(*parts: object) -> Path:
    folder = _folders[0] if _folders else Path(os.devnull)
    return folder / f"{digest(*parts, length=32)}.json"


@cache
def _tidy(folder: Path) -> None:
    """Make the folder; of very many files, remove the older half."""
    folder.mkdir(exist_ok=True)
    files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
    for path in files[: len(files) // 2 if len(files) > MOST else 0]:
        path.unlink(missing_ok=True)
