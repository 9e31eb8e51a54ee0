"""``python -m tests.chaos.run``: the long run; ``CHAOS_FAULTS``, ``CHAOS_SEED`` and ``CHAOS_MINUTES`` bound it.

``CHAOS_RATE`` is the share of requests that get a fault in this process (0.5).

Most faults happen to the stages called in this process, where one is cheap; a part of them to real processes, with
real signals. The summary keeps the two apart. Exit code 1 when anything is lost, doubled or wrong.
"""

import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from random import SystemRandom

from tests.chaos.check import Findings
from tests.chaos.inprocess import Run, in_process
from tests.chaos.processes import Storm
from tests.chaos.rig import rig
from tests.chaos.table import table
from tests.support.stack import emulators, provisioned

PROCESS_SHARE = 0.05
# When the minutes run out first, real processes still get this part of them.
PROCESS_TIME = 0.2
PROCESS_SECONDS = 60  # they take so long to start: with less time than that they are left out
# An environment is checked and left after so many faults: what is read for the check grows with the files.
ROUND = 1_000


def main() -> int:
    """Run both parts; return the exit code."""
    logging.disable(logging.CRITICAL)  # the functions' own lines: thousands
    faults = int(os.environ.get("CHAOS_FAULTS", "10000"))
    seed = int(os.environ.get("CHAOS_SEED", SystemRandom().randrange(1_000_000)))
    seconds = 60 * float(os.environ.get("CHAOS_MINUTES", "600"))
    end = time.monotonic() + seconds
    rate = float(os.environ.get("CHAOS_RATE", "0.5"))
    print(f"chaos: {faults} faults, CHAOS_SEED={seed}", flush=True)
    real = int(faults * PROCESS_SHARE)
    here = _here(faults - real, seed, end - seconds * PROCESS_TIME, rate)
    results = [*here, *_processes(real, seed, end)]
    total = sum(count for count, _ in results)
    lost, doubled, wrong = (sum(len(getattr(f, n)) for _, f in results) for n in ("lost", "doubled", "wrong"))
    files = sum(f.files for _, f in results)
    print(f"chaos: {total} faults, {files} files, lost {lost}, doubled {doubled}, wrong {wrong}; CHAOS_SEED={seed}")
    return 0 if lost + doubled + wrong == 0 and total >= faults else 1


def _here(faults: int, seed: int, end: float, rate: float) -> list[tuple[int, Findings]]:
    """Rounds in this process, each in an environment of its own on the same emulators."""
    results: list[tuple[int, Findings]] = []
    with tempfile.TemporaryDirectory(prefix="chaos") as folder, emulators(Path(folder)) as running:
        while (done := sum(count for count, _ in results)) < faults and time.monotonic() < end:
            number = seed + len(results)
            with provisioned(running) as services, in_process(services, number, rate) as run:
                started = time.monotonic()
                run.storm(min(ROUND, faults - done), end - started, each=_say_how_far)
                found = run.rest()
                title = "stages called in this process; a kill is an exception that nobody catches"
                print(
                    table(title, number, run.faults.counts, run.shop.killed, found, time.monotonic() - started),
                    flush=True,
                )
                _say_unexpected(run.shop.unexpected)
                results.append((run.faults.total, found))
    return results


def _processes(faults: int, seed: int, end: float) -> list[tuple[int, Findings]]:
    if faults <= 0 or time.monotonic() > end - PROCESS_SECONDS:
        print("chaos: no time is left for real processes", flush=True)
        return []
    with tempfile.TemporaryDirectory(prefix="chaos") as folder, rig(Path(folder), seed, rate=0.15) as made:
        started, storm = time.monotonic(), Storm(made, seed)
        storm.rage(faults, end - started)
        found = storm.rest()
        title = "real function processes; kills are real signals"
        print(table(title, seed, made.faults.counts, made.killed, found, time.monotonic() - started), flush=True)
        return [(made.faults.total, found)]


def _say_how_far(run: Run) -> None:
    """A line every twenty files, so that whoever waits sees something."""
    if len(run.traffic.landed) % 20 == 0:
        print(f"  {run.faults.total} faults, {len(run.traffic.landed)} files landed", file=sys.stderr, flush=True)


def _say_unexpected(unexpected: dict[str, int]) -> None:
    """Errors that no code foresaw are tried again like any other, and an operator would see an alert for each."""
    for what, count in sorted(unexpected.items()):
        print(f"  unexpected {count:>4} x {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
