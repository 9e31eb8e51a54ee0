"""Ends the parts of a stack whose supervisor was killed: those too that are busy and do not hear a polite signal."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from local.process import GRACE_SECONDS, signal_group
from local.state import alive, birth, read_status
from stockflow.waiting import wait_until

_KILL_SECONDS = 5  # a zombie that nobody reaps stays in its group


def start(folder: Path) -> "subprocess.Popen[bytes]":
    """Start a guard that waits for this process to end, however it ends: its input is closed then."""
    command = [sys.executable, "-m", "local.guard", str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)


def finish(guard: "subprocess.Popen[bytes]") -> None:
    """Tell a guard that all has ended, and wait for it."""
    guard.communicate()


def sweep_up(folder: Path) -> bool:
    """Stop parts that a killed supervisor left behind; return whether there were any."""
    status = read_status(folder)
    if status is None or alive(status.pid, status.born):
        return False
    parts = [(p.pid, p.born) for p in status.parts if p.pid is not None and p.born]
    left = [(pid, born) for pid, born in parts if alive(pid, born)]
    for pid, _ in left:
        signal_group(pid, signal.SIGTERM)
    await_end(left, GRACE_SECONDS)
    # The workers of a part that has ended still hold its port. Its number may be another process's by now.
    groups = [pid for pid, born in parts if birth(pid) in (None, born)]
    for pid in groups:
        signal_group(pid, signal.SIGKILL)
    wait_until(lambda: not any(_has_members(pid) for pid in groups), _KILL_SECONDS, 0.05)
    return bool(left)


def _has_members(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def await_end(processes: list[tuple[int, str]], seconds: float) -> None:
    """Wait until these processes (pid and birth) have ended, for so long at most."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(alive(pid, born) for pid, born in processes):
        time.sleep(0.05)


def main() -> None:
    """``python -m local.guard FOLDER``: wait for the end of the input, then stop what still runs."""
    sys.stdin.read()
    sweep_up(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
