"""The summary that a run prints: how many of each fault, where it killed, what was found."""

from collections import Counter

from tests.chaos.check import Findings


def table(title: str, seed: int, faults: Counter[str], kills: Counter[str], found: Findings, seconds: float) -> str:
    """Return the summary of one part of a run."""
    lines = [f"== {title} (seed {seed}, {seconds:.0f} s)", *_counted("fault", faults), *_counted("killed at", kills)]
    ends = ", ".join(f"{count} {end}" for end, count in found.ends.most_common())
    lines += [
        f"  {'files landed':<44}{found.files:>8}   ({ends})",
        f"  {'rows in files that were read':<44}{found.rows:>8}",
        f"  {'lost':<44}{len(found.lost):>8}",
        f"  {'doubled':<44}{len(found.doubled):>8}",
        f"  {'says something else than the model':<44}{len(found.wrong):>8}",
    ]
    return "\n".join([*lines, *([str(found)] if not found.hold else [])])


def _counted(what: str, counts: Counter[str]) -> list[str]:
    rows = [f"  {f'{what}: {name}':<44}{count:>8}" for name, count in sorted(counts.items()) if count]
    return [*rows, f"  {f'{what}: all':<44}{sum(counts.values()):>8}"] if rows else []
