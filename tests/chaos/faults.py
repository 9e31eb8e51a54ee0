"""Which fault a request gets: seeded, counted, and switched off when the peace begins."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

# Any request to BigQuery or Cloud Storage.
COMMON = ("429", "500", "503", "reset", "hang", "accepted_then_503")
# Requests that make a BigQuery job.
JOBS = (*COMMON, "quotaExceeded", "rateLimitExceeded", "job_failed")
# Streaming inserts: BigQuery shows the rows seconds after it answers, and its de-duplication is only best effort.
INSERTS = (*COMMON, "late_rows", "late_rows", "rows_twice")
# Publishing to Pub/Sub.
PUBLISHING = ("unavailable", "accepted_then_unavailable", "resource_exhausted")


@dataclass
class Faults:
    """A dice for faults: ``rate`` of all requests get one. ``counts`` says how many of each there were."""

    seed: int
    rate: float = 0.2
    hang_seconds: float = 2.0
    late_seconds: float = 4.0
    enabled: bool = True
    counts: Counter[str] = field(default_factory=Counter)
    exhausted: set[str] = field(default_factory=set)  # tables that had their load jobs of the day

    def __post_init__(self) -> None:
        self._dice, self._lock = Random(self.seed), threading.Lock()

    def choose(self, kinds: Sequence[str], rate: float | None = None) -> str | None:
        """Return the fault of the next request, None for most."""
        with self._lock:
            if not self.enabled or self._dice.random() >= (self.rate if rate is None else rate):
                return None
            kind = self._dice.choice(kinds)
            self.counts[kind] += 1
            return kind

    def count(self, kind: str, number: int = 1) -> None:
        """Count a fault that happened elsewhere, such as a kill."""
        with self._lock:
            self.counts[kind] += number

    def seconds(self, most: float) -> float:
        """Return a time up to ``most``."""
        with self._lock:
            return self._dice.uniform(0.1, 1.0) * most

    @property
    def total(self) -> int:
        """How many faults there were so far."""
        return sum(self.counts.values())

    @contextmanager
    def peace(self) -> Iterator[None]:
        """No faults for a while."""
        before, self.enabled = self.enabled, False
        try:
            yield
        finally:
            self.enabled = before
