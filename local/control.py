"""``up`` and ``down``: a supervisor in the background, and nothing left running afterwards."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from local.guard import await_end, sweep_up
from local.process import GRACE_SECONDS
from local.state import Stack, StackStatus, alive, open_stack, read_status, running
from local.supervisor import START_SECONDS, StackError

Progress = Callable[[StackStatus], None]


def up(folder: Path, with_dashboard: bool = True, progress: Progress | None = None) -> Stack:
    """Start a stack in the background and return when it is healthy; one that runs is returned as it is.

    Raises:
        StackError: which part did not come up, and why.
    """
    if running(folder):
        return _await_ready(folder, progress)
    sweep_up(folder)
    stack = open_stack(folder)
    stack.status_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "local.supervisor", str(stack.folder)]
    command += [] if with_dashboard else ["--no-dashboard"]
    with stack.log("supervisor").open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)
    return _await_ready(folder, progress, process)


def _await_ready(folder: Path, progress: Progress | None, process: "subprocess.Popen[bytes] | None" = None) -> Stack:
    deadline = time.monotonic() + START_SECONDS * 3
    while time.monotonic() < deadline:
        status = read_status(folder)
        if status is not None:
            if progress is not None:
                progress(status)
            if status.state == "ready":
                return open_stack(folder)
            if status.state == "failed":
                raise StackError(status.message)
        if process is not None and process.poll() is not None:
            raise StackError(_last_words(folder, f"the supervisor ended with code {process.returncode}"))
        time.sleep(0.1)
    raise StackError(_last_words(folder, "the stack did not get ready"))


def _last_words(folder: Path, what: str) -> str:
    log = folder / "logs" / "supervisor.log"
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""
    return f"{what}. The end of {log}:\n{tail}"


def down(folder: Path) -> bool:
    """Stop a stack and everything it started; return whether anything ran."""
    status = read_status(folder)
    if status is None:
        return False
    was_running = alive(status.pid, status.born)
    if was_running:
        with suppress(ProcessLookupError):
            os.kill(status.pid, signal.SIGTERM)
        await_end([(status.pid, status.born)], GRACE_SECONDS + 20)
        if alive(status.pid, status.born):
            os.kill(status.pid, signal.SIGKILL)
            await_end([(status.pid, status.born)], GRACE_SECONDS)
    return sweep_up(folder) or was_running
