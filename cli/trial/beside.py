"""The control files beside a local file: compared with it as in the bucket, whichever came first there."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from functions.ingest.agreement import Found, check, less_sure, not_counted
from functions.ingest.control import HEAD, Stated, is_control, stated
from functions.ingest.readers.model import Facts
from functions.ingest.rejects import Rejects


def compare(path: Path, facts: Facts, rows: int, rejects: Rejects) -> dict[str, Any]:
    """See that a file is what the control files in its folder state; return what they count.

    Raises:
        PermanentError: one of ``agreement.CODES``.
    """
    detail = {**facts.values, "not_counted": not_counted(rejects.codes)}
    found = Found(path.name, path.stat().st_size, "", rows, rejects.count, detail)
    said: dict[str, Any] = {}
    for by, statement in _statements(path):
        said = less_sure(said, check(statement, by, found, lambda: path.open("rb")))
    return said


def _statements(path: Path) -> Iterator[tuple[str, Stated]]:
    """Yield what is stated of a file, by its name, or by its stem where no other file has that."""
    with os.scandir(path.parent) as entries:
        files = [(e.name, e.stat().st_size) for e in entries if e.is_file()]
    control = [(name, size) for name, size in files if is_control(name.lower(), size)]
    data = {name for name, _ in files} - {name for name, _ in control}
    stem = PurePosixPath(path.name).stem
    names = {path.name, stem} if sum(name.startswith(f"{stem}.") for name in data) == 1 else {path.name}
    for name, size in sorted(control):
        if not size:
            continue
        with (path.parent / name).open("rb") as stream:
            yield from ((name, s) for s in stated(name, stream.read(HEAD)) if s.about in names)
