"""What a check found."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.api_core import exceptions as api
from google.auth import exceptions as auth


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: as expected, or what is there instead and how to fix it."""

    check: str
    expected: str
    found: str
    fix: str
    ok: bool

    def row(self) -> dict[str, Any]:
        """The finding as JSON."""
        return {"check": self.check, "ok": self.ok, "expected": self.expected, "found": self.found, "fix": self.fix}


def compare(check: str, expected: Mapping[str, Any], found: Mapping[str, Any], fix: str) -> Iterator[Finding]:
    """Yield a finding for each expected field."""
    for name, value in expected.items():
        there = found.get(name)
        yield Finding(f"{check}: {name}", str(value), str(there), fix, there == value)


def missing(expected: Iterable[str], found: Iterable[str], check: str, fix: str) -> Iterator[Finding]:
    """Yield a finding for each expected name."""
    there = set(found)
    for name in expected:
        yield Finding(f"{check} {name}", "there", "there" if name in there else "missing", fix, name in there)


def looked_up(check: str, fix: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Yield what ``look`` finds; what it cannot even ask for is a finding too."""
    try:
        yield from look()
    except api.NotFound:
        yield Finding(check, "there", "not found", fix, False)
    except (api.Forbidden, api.Unauthenticated) as error:
        yield Finding(check, "you may look at it", error.message or "refused", f"ask for the role, or {fix}", False)
    except (api.GoogleAPICallError, auth.GoogleAuthError, OSError) as error:
        yield Finding(check, "an answer", f"{type(error).__name__}: {error}", fix, False)
