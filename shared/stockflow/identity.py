"""Identities derived from what a thing is, so that doing it twice is doing it once."""

import hashlib
from functools import cache
from pathlib import Path
from uuid import uuid4


def digest(*parts: object, length: int = 20) -> str:
    """Return ``length`` hex digits of SHA-256 over the parts, kept apart by their lengths."""
    hasher = hashlib.sha256()
    for part in parts:
        data = str(part).encode()
        hasher.update(f"{len(data)}:".encode() + data)
    return hasher.hexdigest()[:length]


def load_id(bucket: str, object_name: str, generation: int) -> str:
    """Return the identity of one generation of one object (20 hex digits)."""
    return digest(bucket, object_name, generation)


def new_run_id() -> str:
    """Return a name for one attempt of one stage (20 hex digits), never given before.

    What an attempt writes carries it; nobody sees that until a record in the ledger names the same run.
    """
    return uuid4().hex[:20]


def stage_version(*parts: object) -> str:
    """Return the hash (12 hex digits) of what decides a stage's result."""
    return digest(*parts, length=12)


@cache
def code_version(*folders: Path) -> str:
    """Return the hash of all Python and SQL files below the folders (paths and contents)."""
    hasher = hashlib.sha256()
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.suffix in {".py", ".sql"}):
            hasher.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return hasher.hexdigest()[:12]
