"""A change split into parts that add up to it: what sold, what it cost, and where it moved to. Pure.

Works on any kind of exact or floating number, so that a test can add up exactly.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Key = tuple[Any, ...]
Number = Any  # float, or Fraction in tests
Cells = Mapping[Key, tuple[Number, Number]]  # cell -> (numerator, denominator), or (amount, quantity)
Group = Callable[[Key], Any]  # the location of a cell, or whatever mix is told apart by


@dataclass
class Split:
    """Part -> its share of the change; ``cells`` has the same for each cell. Both add up to ``change``."""

    start: Number
    end: Number
    cells: dict[Key, dict[str, Number]] = field(default_factory=dict)

    @property
    def change(self) -> Number:
        """What is explained."""
        return self.end - self.start

    @property
    def parts(self) -> dict[str, Number]:
        """Part -> sum over the cells."""
        totals: dict[str, Number] = defaultdict(int)
        for parts in self.cells.values():
            for name, amount in parts.items():
                totals[name] += amount
        return dict(totals)


def of_ratio(before: Cells, after: Cells, group: Group) -> Split | None:
    """Return the change of sum(numerator) / sum(denominator); None when one of them has no value.

    ``numerator`` and ``denominator``: the cells' own ratios changed; ``mix_location`` and ``mix_sku``: cells with
    another ratio weigh more or less than before, among the groups and inside each.
    """
    all_before, all_after = _total(before, 1), _total(after, 1)
    if not all_before or not all_after:
        return None
    found = Split(_total(before, 0) / all_before, _total(after, 0) / all_after)
    pairs = {key: _Pair(before.get(key, (0, 0)), after.get(key, (0, 0))) for key in {*before, *after}}
    levels = _levels(pairs, group)
    for key, pair in pairs.items():
        weight, moved = pair.below2 / all_after, pair.below2 / all_after - pair.below1 / all_before
        numerator, denominator = pair.rate_change()
        level = levels[group(key)]
        found.cells[key] = {
            "numerator": weight * numerator + pair.rest2 / all_after - pair.rest1 / all_before,
            "denominator": weight * denominator,
            "mix_location": moved * (level - found.start),
            "mix_sku": moved * (pair.rate1 - level),
        }
    return found


def of_amount(before: Cells, after: Cells, group: Group) -> Split:
    """Return the change of an amount whose cells have a quantity.

    ``volume``: every cell grows as the whole does, at its own price; ``mix_location`` and ``mix_sku``: some grow more
    than others; ``price``: another price (or cost) for a unit.
    """
    found = Split(_total(before, 0), _total(after, 0))
    pairs = {key: _Pair(before.get(key, (0, 0)), after.get(key, (0, 0))) for key in {*before, *after}}
    growth = _growth(_total(before, 1), _total(after, 1))
    of_group: dict[Any, tuple[Number, Number]] = {}
    for key, pair in pairs.items():
        one, two = of_group.get(group(key), (0, 0))
        of_group[group(key)] = (one + pair.below1, two + pair.below2)
    for key, pair in pairs.items():
        inside = _growth(*of_group[group(key)])
        if growth is None:
            volume, between, within = (pair.below2 - pair.below1) * pair.rate1, 0, 0
        else:
            volume = (growth - 1) * pair.below1 * pair.rate1
            other = (pair.below2 - growth * pair.below1) * pair.rate1
            between = other if inside is None else (inside - growth) * pair.below1 * pair.rate1
            within = other - between
        price = pair.below2 * (pair.rate2 - pair.rate1) + pair.rest2 - pair.rest1
        found.cells[key] = {"volume": volume, "price": price, "mix_location": between, "mix_sku": within}
    return found


def of_sum(before: Mapping[Key, Number], after: Mapping[Key, Number]) -> Split:
    """Return the change of a plain sum: cells that are new, that are gone, and that have another value."""
    found = Split(sum(before.values()), sum(after.values()))
    for key in {*before, *after}:
        name = "changed" if key in before and key in after else "new" if key in after else "gone"
        found.cells[key] = {name: after.get(key, 0) - before.get(key, 0)}
    return found


class _Pair:
    """One cell at both ends. Without a denominator at one end, the ratio of the other stands for it.

    ``rest`` is a numerator without a denominator: it counts in the total all the same.
    """

    def __init__(self, before: tuple[Number, Number], after: tuple[Number, Number]) -> None:
        (self.above1, self.below1), (self.above2, self.below2) = before, after
        self.rest1 = 0 if self.below1 else self.above1
        self.rest2 = 0 if self.below2 else self.above2
        one = self.above1 / self.below1 if self.below1 else None
        two = self.above2 / self.below2 if self.below2 else None
        self.rate1 = one if one is not None else two if two is not None else 0
        self.rate2 = two if two is not None else self.rate1

    def rate_change(self) -> tuple[Number, Number]:
        """Return how much of the change of the cell's ratio its numerator makes, and how much its denominator.

        Where both grow, what one takes back of the other is no change of the ratio: what is left is the larger one's.
        """
        if not self.below1 or not self.below2:
            return 0, 0
        change = self.rate2 - self.rate1
        numerator = (self.above2 - self.above1) * (1 / self.below1 + 1 / self.below2) / 2
        denominator = change - numerator
        if numerator * denominator >= 0:
            return numerator, denominator
        return (change, 0) if abs(numerator) >= abs(denominator) else (0, change)


def _levels(pairs: Mapping[Key, _Pair], group: Group) -> dict[Any, Number]:
    """Return the ratio of each group before, at the old weights; at the new ones where it had no weight."""
    sums: dict[Any, list[Number]] = defaultdict(lambda: [0, 0, 0, 0])
    for key, pair in pairs.items():
        of_group = sums[group(key)]
        for place, amount in enumerate((pair.below1 * pair.rate1, pair.below1, pair.below2 * pair.rate1, pair.below2)):
            of_group[place] += amount
    return {
        name: one / weight1 if weight1 else two / weight2 if weight2 else 0
        for name, (one, weight1, two, weight2) in sums.items()
    }


def _growth(before: Number, after: Number) -> Number | None:
    return after / before if before else None


def _total(cells: Cells, place: int) -> Number:
    return sum(pair[place] for pair in cells.values())
