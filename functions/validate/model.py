"""The words of validation: checks, verdicts, results. Plain values."""

from dataclasses import dataclass, field
from typing import Any

CRITICAL, WARNING, LOAD = "critical", "warning", "load"


@dataclass(frozen=True)
class Check:
    """One expectation on a batch.

    ``column`` is the contract's column; ``tested`` the column of the typed frame that the expectation
    looks at (a shadow column holds only what breaks a rule that Great Expectations does not know).
    """

    rule: str
    expectation: str
    column: str | None
    kwargs: dict[str, Any]
    severity: str
    message: str
    expected: str


@dataclass(frozen=True)
class Verdict:
    """One row breaks one rule; ``value`` is the text as it stands in the file."""

    line: int
    rule: str
    column: str | None
    value: str | None
    expected: str
    message: str
    severity: str


@dataclass
class Result:
    """What one check found in the whole load. ``failed`` counts rows, or is 1 for a broken load rule."""

    check: Check
    checked: int = 0
    failed: int = 0
    observed: str = ""

    @property
    def success(self) -> bool:
        """Whether nothing breaks the rule."""
        return self.failed == 0


@dataclass
class Judgement:
    """All that validation says of a load."""

    rows: int
    results: list[Result] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def quarantined(self) -> set[int]:
        """Lines that break a critical rule."""
        return {v.line for v in self.verdicts if v.severity == CRITICAL}

    @property
    def broken_load_rules(self) -> list[Result]:
        """Results that reject the whole load."""
        return [r for r in self.results if r.check.severity == LOAD and not r.success]
