"""The words of validation: checks, verdicts, results. Plain values."""

from dataclasses import dataclass, field
from typing import Any

from functions.validate.jumps import Rates
from stockflow.values import Formats

CRITICAL, WARNING, LOAD = "critical", "warning", "load"
COUNTS = "trailer_counts"  # in the detail of a record: what the file's last line counts
CONTROL_COUNTS = "control_counts"  # the same: what the number in its control file may count
EXAMPLES = 20  # verdicts of a rule that a report shows


@dataclass(frozen=True)
class Check:
    """One expectation on a batch.

    ``column`` is the contract's column; ``tested`` the column of the typed frame that the expectation
    looks at (a marker column holds only what breaks a rule that Great Expectations does not know).
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
    """One row breaks one rule; ``row`` is its number in the load, ``value`` the text as it stands in the file.

    ``member``: the file of a zip archive in which its line counts, where it has several.
    """

    row: int
    line: int
    rule: str
    column: str | None
    value: str | None
    expected: str
    message: str
    severity: str
    member: str = ""


@dataclass
class Result:
    """What one check found in the whole load. ``failed`` counts rows, or is 1 for a broken load rule."""

    check: Check
    checked: int = 0
    failed: int = 0
    observed: str = ""
    examples: list[Verdict] = field(default_factory=list)

    @property
    def success(self) -> bool:
        """Whether nothing breaks the rule."""
        return self.failed == 0


@dataclass(frozen=True)
class Extent:
    """What a load speaks of: its locations, and its first and last business date (ISO); None where unknown.

    Of very many locations ``locations`` is a sample, and ``location_count`` says how many there are.
    """

    locations: frozenset[str] = frozenset()
    location_count: int = 0
    first_date: str | None = None
    last_date: str | None = None


@dataclass
class Judgement:
    """All that validation says of a load's rows. ``refused`` counts those that break a critical rule.

    ``rates`` are its exchange rates, where the contract limits their jumps; ``known_rates`` those of earlier loads.
    ``counted_before`` is what the last lines of earlier files counted, ``stated_before`` what their control files did.
    """

    formats: Formats
    rows: int = 0
    refused: int = 0
    results: list[Result] = field(default_factory=list)
    extent: Extent = field(default_factory=Extent)
    rates: Rates = field(default_factory=dict)
    known_rates: Rates = field(default_factory=dict)
    counted_before: str = ""
    stated_before: tuple[str, ...] = ()

    @property
    def broken_load_rules(self) -> list[Result]:
        """Results that reject the whole load."""
        return [r for r in self.results if r.check.severity == LOAD and not r.success]

    @property
    def warnings(self) -> int:
        """How often a rule that only warns was broken."""
        return sum(r.failed for r in self.results if r.check.severity == WARNING)
