"""Whether the senders' profiles can be read, and what waits until they can."""

from collections.abc import Iterator
from pathlib import Path

from cli.doctor.finding import Finding
from stockflow.known_calendars import read_profiles

FIX = "`stockflow sender check` names the mistake; correct the file, then deploy, or `stockflow down`, `stockflow up`"


def check(contracts_dir: Path) -> Iterator[Finding]:
    """Yield a finding for each profile that is wrong, or one for all of them."""
    found = wrong(contracts_dir)
    for told in found:
        yield Finding("sender profile", "can be read", told, FIX, False)
    if not found:
        yield Finding("sender profiles", "can be read", "can be read", FIX, True)


def wrong(contracts_dir: Path) -> list[str]:
    """Return what is wrong with profiles, and what that stops."""
    found = read_profiles(contracts_dir)
    files = "files are refused until it is corrected"
    return [
        *(f"{fault.message} ({files}; KPIs go on with its calendar)" for fault in found.read_in_part),
        *(f"{fault.message} ({files}; KPIs that need its calendar wait)" for fault in found.unknown),
    ]
