"""Exchange rates that jump: a decimal mark that moved, or a rate that is quoted the other way round. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from stockflow import values
from stockflow.contracts import Contract

if TYPE_CHECKING:
    import pandas as pd

    from functions.validate.texts import Mask

COMPARABLE = timedelta(days=35)  # rates further apart say nothing about each other
SHOWN = 3
MOST_KEPT = 500  # currencies of a load that later loads are compared with

Rates = dict[str, dict[date, float]]  # currency -> day -> units of the base currency for one unit


@dataclass(frozen=True)
class Jump:
    """Two rates of a currency, one after the other, that differ by more than the limit."""

    currency: str
    before: tuple[date, float]
    after: tuple[date, float]

    @property
    def factor(self) -> float:
        """How many times the larger rate is the smaller one."""
        low, high = sorted((self.before[1], self.after[1]))
        return high / low

    def __str__(self) -> str:
        old, new = (f"{rate:.6g} ({day})" for day, rate in (self.before, self.after))
        return f"{self.currency} from {old} to {new}, {self.factor:.4g} times"


def limit(contract: Contract) -> float | None:
    """Return how many times a rate may be the one before it; None where the contract sets no ``maxJump``."""
    found = contract.properties.get("maxJump")
    return None if found is None else float(found)


def add(rates: Rates, frame: "pd.DataFrame", good: "Mask", contract: Contract) -> None:
    """Add the rates of a batch's good rows; of two on one day the later line counts."""
    names = ["currency", contract.business_date, "rate_to_base", "per_currency"]
    base = contract.properties.get("baseCurrency")
    dated = frame.loc[good, names].dropna(subset=contract.business_date)
    for text, day, rate, per in dated.itertuples(index=False, name=None):
        currency, quoted = values.to_code(str(text)), values.to_code(per if isinstance(per, str) else "")
        if currency and currency != base and rate > 0:
            rates.setdefault(currency, {})[day.date()] = 1 / rate if quoted == base else float(rate)


def newest(rates: Rates) -> dict[str, tuple[str, float]]:
    """Return the newest rate of each currency, as the ledger keeps it: day and rate."""
    last = {currency: max(by_day.items()) for currency, by_day in sorted(rates.items())[:MOST_KEPT]}
    return {currency: (day.isoformat(), rate) for currency, (day, rate) in last.items()}


def jumps(rates: Rates, known: Rates, most: float) -> list[Jump]:
    """Return where a load's rates jump, next to each other and to what is ``known`` of earlier loads; largest first."""
    steps = (step for currency, by_day in rates.items() for step in _steps(currency, by_day, known.get(currency, {})))
    found = [step for step in steps if step.factor > most]
    return sorted(found, key=lambda jump: (-jump.factor, jump.currency, jump.after))


def _steps(currency: str, by_day: Mapping[date, float], known: Mapping[date, float]) -> Iterator[Jump]:
    chain = sorted({**known, **by_day}.items())
    for before, after in pairwise(chain):
        if (before[0] in by_day or after[0] in by_day) and after[0] - before[0] <= COMPARABLE:
            yield Jump(currency, before, after)


def said(found: list[Jump], most: float, load: str) -> str:
    """Return what whoever releases the load must know."""
    shown = "; ".join(map(str, found[:SHOWN])) + (f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else "")
    return (
        f"exchange rates jump: {shown}. More than {most:g} times the rate before is held (`maxJump` in the contract). "
        "Is the decimal mark right, and is it quoted for one unit of the currency? Nothing of the file counts yet. "
        f"`stockflow loads release {load}` takes the rates as they are, `stockflow loads reject {load} --reason TEXT` "
        "rejects the file"
    )
