"""What a reader in a process of its own is asked to do."""

from dataclasses import dataclass

from functions.ingest.readers.model import Target


@dataclass(frozen=True)
class Job:
    """What to read, with which function, within which limits."""

    module: str
    function: str
    target: Target
    memory_bytes: int
    size: int = 0  # of the file, in bytes
    cpu_seconds: int = 240
    seconds: int = 300
