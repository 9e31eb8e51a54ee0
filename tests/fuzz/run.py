"""The coverage-guided runs of all readers (or of those named), one after another: ``make fuzz FUZZ_SECONDS=3600``.

    uv run --with atheris python -m tests.fuzz.run SECONDS [READER...]

A run that found something is begun again for the rest of its time, some times. Kept inputs, what was found and the
output are in ``build/fuzz/READER/``; the last lines say how many inputs each reader was given, and what
was found. What ends well in the sandbox, as such files are read in production, is counted apart (``contained``).
"""

import io
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from functions.ingest.readers.decode import decode
from functions.ingest.readers.formats import FORMATS
from functions.ingest.readers.model import Facts, Target
from stockflow.errors import PermanentError
from tests.fuzz.coverage_guided import READERS
from tests.unit.ingest.reading import contracts

FOLDER = Path("build/fuzz")
AGAIN = 5  # times a run is begun again after it found something
LEAST = 5  # seconds that a run is worth
_INPUTS = re.compile(r"number_of_executed_units: *(\d+)")
_FOUND = ("crash-*", "timeout-*", "oom-*")


@dataclass
class Ran:
    """What a reader was given; ``found``: files that it should have ended well with; ``contained``: by the sandbox."""

    reader: str
    seconds: float = 0.0
    inputs: int = 0
    found: tuple[str, ...] = ()
    contained: int = 0

    def __str__(self) -> str:
        found = ", ".join(self.found) or "nothing found"
        found += f" ({self.contained} contained)" if self.contained else ""
        return f"{self.reader:20} {self.seconds:6.0f} s {self.inputs:9,} inputs  {found}"


def main(arguments: list[str]) -> int:
    """Run the readers; return how many of them have findings."""
    seconds, names = float(arguments[0]), arguments[1:] or list(READERS)
    ran = [run(name, seconds) for name in names]
    print(*ran, sep="\n")
    return sum(bool(one.found) for one in ran)


def run(reader: str, seconds: float) -> Ran:
    """Fuzz one reader for so long, or until it found something too often."""
    folder = (FOLDER / reader).resolve()
    (folder / "found").mkdir(parents=True, exist_ok=True)
    ran, began = Ran(reader), time.monotonic()
    for number in range(AGAIN + 1):
        left = seconds - (time.monotonic() - began)
        if left < LEAST:
            break
        ended = _once(reader, folder, left, number)
        counted = _INPUTS.search((folder / f"{number}.log").read_text(errors="replace"))
        ran.inputs += int(counted[1]) if counted else 0
        if ended == 0:
            break
    ran.seconds = time.monotonic() - began
    found = sorted(p for pattern in _FOUND for p in (folder / "found").glob(pattern))
    ran.found = tuple(p.name for p in found if not ends_well(reader, p.read_bytes()))
    ran.contained = len(found) - len(ran.found)
    return ran


def ends_well(reader: str, data: bytes) -> bool:
    """Whether a file that broke a native reader in the fuzzer's process ends well in the sandbox."""
    form = FORMATS.get(reader)
    if form is None or not form.isolated:
        return False
    fuzzed = READERS[reader]
    try:
        for _ in decode(io.BytesIO(data), Target(contracts()[fuzzed.feed], fuzzed.name), Facts(), 10**8):
            pass
    except PermanentError:
        pass
    return True


def _once(reader: str, folder: Path, seconds: float, number: int) -> int:
    options = [f"-max_total_time={seconds:.0f}", "-print_final_stats=1", f"-artifact_prefix={folder}/found/"]
    command = [sys.executable, "-m", "tests.fuzz.coverage_guided", reader, str(folder / "kept"), *options]
    with (folder / f"{number}.log").open("wb") as log:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
