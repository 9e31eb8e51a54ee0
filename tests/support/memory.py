"""The most memory that a process had."""

import re
from pathlib import Path


def peak_bytes(process: int | str = "self") -> int:
    """Return the peak of resident memory since the program of a process (its number) began, in bytes (Linux).

    ``getrusage`` says more: what the process that started this one had is handed down through ``exec``.
    """
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024
