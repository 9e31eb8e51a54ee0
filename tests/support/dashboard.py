"""The dashboard's own process, as `stockflow up` starts it."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.parts import answers
from local.state import free_port
from stockflow.waiting import wait_until

START_SECONDS = 120
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Dashboard:
    """A running dashboard."""

    address: str
    pid: int

    @property
    def megabytes(self) -> float:
        """Its resident memory now (Linux)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024


@contextmanager
def dashboard(env: Mapping[str, str], log: Path) -> Iterator[Dashboard]:
    """Run the dashboard with this environment until the end."""
    port = free_port()
    command = [sys.executable, "-m", "local.dashboard", "--server.port", str(port)]
    options = ["--server.headless", "true", "--browser.gatherUsageStats", "false"]
    with log.open("wb") as out:
        process = subprocess.Popen(command + options, cwd=_ROOT, env=env, stdout=out, stderr=out)
    try:
        health = f"http://127.0.0.1:{port}/_stcore/health"
        if not wait_until(lambda: answers(health, 200), START_SECONDS, 0.2):
            raise TimeoutError(f"the dashboard does not answer:\n{log.read_text()}")
        yield Dashboard(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(60)
