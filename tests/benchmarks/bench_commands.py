"""Commands: what each takes of its own (processor time of its process), and until its answer.

    STOCKFLOW_STATE=FOLDER python -m tests.benchmarks.bench_commands [CHECKOUT...]

The stack of FOLDER runs and holds the demo's files. With several checkouts each command is run by one after the other,
so that a machine whose speed varies is the same for all of them. The middle of the runs is printed.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from local.environment import state_folder
from local.state import running
from stockflow.settings import bundle_root

RUNS = 9
SAMPLE = "samples/sales/sales_2026-W40.csv"
COMMANDS = (
    "--help", "status", "loads", "explain sales_2026-W40.csv", "quarantine list", "audit", "kpi list", "kpi show gmroi",
    "kpi lineage gmroi", "lineage show gmroi", "deadletters list", "contract check", f"try {SAMPLE}",
)  # fmt: skip
HEAD = """\
| command | its own, seconds | until the answer, seconds |
|---|---|---|"""


@dataclass
class Times:
    """Seconds of each run: of the processor in the command's process, and of the clock."""

    own: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)

    def add(self, checkout: Path, command: str) -> None:
        """Run a command once."""
        paths = os.pathsep.join(map(str, (checkout, checkout / "shared")))
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "cli.main", *command.split()],
            cwd=checkout, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, check=False,
        )  # fmt: skip
        self.clock.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.own.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measured(command: str, checkouts: Iterable[Path]) -> list[Times]:
    """Return the times of a command by each checkout; the first round, which fills caches, does not count."""
    found = {checkout: Times() for checkout in checkouts}
    for number in range(RUNS + 1):
        for checkout, times in found.items():
            (times if number else Times()).add(checkout, command)
    return list(found.values())


def main() -> None:
    """Print the table."""
    checkouts = [Path(given).resolve() for given in sys.argv[1:]] or [bundle_root()]
    if not running(state_folder()):
        print(f"no stack is running in {state_folder()}/: `stockflow demo` starts one")
        return
    print(HEAD)
    for command in COMMANDS:
        times = measured(command, checkouts)
        own, clock = _middles(t.own for t in times), _middles(t.clock for t in times)
        print(f"| `{command}` | {own} | {clock} |", flush=True)


def _middles(runs: Iterable[list[float]]) -> str:
    return " -> ".join(f"{statistics.median(seconds):.2f}" for seconds in runs)


if __name__ == "__main__":
    main()
