"""How much of a processor a process and everything below it used."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def seconds_below(pid: int) -> float:
    """Return the seconds of processor that the processes below this one, which still run, used so far (Linux)."""
    found = {int(p.name): stat for p in Path("/proc").iterdir() if p.name.isdigit() and (stat := _stat(p))}
    below = {pid}
    while new := {child for child, (parent, _) in found.items() if parent in below} - below:
        below |= new
    return sum(found[child][1] for child in below - {pid} if child in found)


def _stat(process: Path) -> tuple[int, float] | None:
    try:
        fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / _TICKS
