"""Which feed a file is meant for, told by its headers: how many of them each contract knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.output import CommandError
from functions.ingest.readers.decode import decode
from functions.ingest.readers.model import Facts, Target
from stockflow.contracts import Contract, normalise_header
from stockflow.errors import PermanentError
from stockflow.settings import Settings

AHEAD = 0.15  # share of the headers by which one feed must be ahead of the next
LEAST = 0.5  # share of the headers that the feed must know
SHOWN = 3


@dataclass(frozen=True)
class Guess:
    """How a feed's contract knows a file's headers; ``lacks``: the columns without which it would be refused."""

    feed: str
    known: int
    headers: int
    lacks: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The share of headers that are known."""
        return self.known / self.headers if self.headers else 0.0

    def __str__(self) -> str:
        lacks = f", but not {', '.join(self.lacks)}" if self.lacks else ""
        return f"{self.feed} knows {self.known} of {self.headers} headers{lacks}"


def feed_by_headers(file: Path, contracts: Mapping[str, Contract]) -> tuple[str, str]:
    """Return the feed of a file, and why.

    Raises:
        CommandError: when no feed takes the file, or several do alike: nothing is decided by chance.
    """
    guesses = sorted((_guess(file, c) for c in contracts.values()), key=lambda g: (bool(g.lacks), -g.share, g.feed))
    fitting = [g for g in guesses if g.share >= LEAST and not g.lacks]
    if fitting and (len(fitting) == 1 or fitting[0].share - fitting[1].share >= AHEAD):
        others = f"; next: {fitting[1]}" if len(fitting) > 1 else ""
        return fitting[0].feed, f"{fitting[0]}{others}"
    nearest = fitting or sorted(guesses, key=lambda g: (-g.share, len(g.lacks), g.feed))
    said = "; ".join(str(g) for g in nearest[:SHOWN] if g.headers)
    names = ", ".join(sorted(contracts))
    raise CommandError(f"{file}: which feed is this? {said or 'No header is known'}. Use --feed with one of {names}")


def _guess(file: Path, contract: Contract) -> Guess:
    """Return how a contract knows the headers of a file, of which only the beginning is read."""
    target, facts = Target(contract, f"{contract.feed}/{file.name}"), Facts()
    refused: list[str] = []
    try:
        with file.open("rb") as stream:
            next(decode(stream, target, facts, Settings.max_file_bytes), None)
    except PermanentError as error:
        refused = list(error.facts.get("missing") or [error.code])
        facts.values.setdefault("header", error.facts.get("header") or [])
    header = [h for h in facts.values.get("header") or [] if h.strip()]
    known = {target.headers[n] for h in header if (n := normalise_header(h)) in target.headers}
    found = known | set(facts.values.get("from_file_name") or {})
    needed = [c for c in target.needed if c not in found and c not in refused]
    return Guess(contract.feed, len(known), len(header), (*refused, *needed))
