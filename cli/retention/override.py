"""What one contract says otherwise about how long its feed is kept, and what is wrong with it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.retention.pairs import PAIRS, ends_before, kept
from stockflow.contracts import Contract
from stockflow.retention import CURATED, FILES, RAW, WITHOUT_LIMIT, Days, own, sooner

YEAR = 400  # of curated: a year, and what is compared with it
AGAIN, COMPARED = "for so long events are delivered again", "a year, and what is compared with it"
OWN = (FILES, RAW, CURATED)


@dataclass(frozen=True)
class Override:
    """What one contract says otherwise."""

    where: str
    contract: Contract
    days: Days

    @property
    def stated(self) -> dict[str, int]:
        """The numbers of days that can be read."""
        found = {name: own(self.contract, name) for name in OWN}
        return {name: number for name, number in found.items() if number is not None}

    @property
    def days_kept(self) -> dict[str, int]:
        """How long what is kept of this feed."""
        files = self.stated.get(FILES, WITHOUT_LIMIT)
        return {
            **self.days,
            "landing": sooner(files, self.days["landing"]),
            "staging": sooner(files, self.days["staging"]),
            "raw": self.stated.get(RAW, self.days["raw"]),
            "curated": self.stated.get(CURATED, self.days["curated"]),
        }

    def unreadable(self) -> Iterator[str]:
        for name in OWN:
            if name in self.contract.properties and name not in self.stated:
                yield f"{self.where}: {name} is {self.contract.properties[name]!r}; expected a whole number of days"

    def too_short(self, events_days: int) -> Iterator[str]:
        least = {FILES: (events_days, AGAIN), RAW: (events_days, AGAIN), CURATED: (YEAR, COMPARED)}
        for name, number in self.stated.items():
            if number < least[name][0]:
                yield f"{self.where}: {name} is {number} days; expected at least {least[name][0]}: {least[name][1]}"

    def without_effect(self) -> Iterator[str]:
        files, landing = self.stated.get(FILES, WITHOUT_LIMIT), self.days["landing"]
        if files and landing and files > landing:
            all_end = f"all of landing ends after {landing}; expected at most {landing}"
            yield f"{self.where}: {FILES} is {files} days, {all_end}"
        if CURATED in self.stated and not self.contract.business_date:
            yield f"{self.where}: {CURATED} has no effect: a dimension has no days that end"

    def pairs(self) -> Iterator[str]:
        """Yield what ends too early of a feed that says something of its own about files or raw."""
        before = [(kind, other) for kind, other in PAIRS if other == "raw" and {FILES, RAW} & self.stated.keys()]
        behind = [(kind, other) for kind, other in PAIRS if kind == "raw" and RAW in self.stated]
        for kind, other in before + behind:
            if ends_before(self.days_kept[other], self.days_kept[kind]):
                either = "" if other == "raw" else " (or 0)"
                yield f"{kept(self.where, kind, other, self.days_kept)}; expected {other} at least as long{either}"

    def looked_back_at(self, lookback: Mapping[str, Any] | None) -> Iterator[str]:
        kept = self.days_kept["curated"]
        if not lookback or not self.contract.business_date or not 0 < kept <= lookback["days"]:
            return
        where = self.where if CURATED in self.stated else "pipeline.yaml"
        back = f"the KPI {lookback['kpi']} looks back {lookback['days']} days at it"
        expected = f"expected more than {lookback['days']} (or 0), or a shorter look-back"
        yield f"{where}: {self.contract.feed} is kept {kept} days in curated, {back}; {expected}"
