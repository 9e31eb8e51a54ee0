"""One running part: started with its output in a log, stopped with everything it started."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from local.parts import Part
from local.state import PartStatus, Stack, birth

GRACE_SECONDS = 10
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG, of prctl(2)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent is gone")
os.execvp(sys.argv[2], sys.argv[2:])
"""


class Process:
    """A part's process and how it is doing."""

    def __init__(self, part: Part, stack: Stack) -> None:
        self.part, self._stack = part, stack
        self.status = PartStatus(part.name, port=part.port)
        self._popen: subprocess.Popen[bytes] | None = None
        self._copier: threading.Thread | None = None

    def start(self) -> None:
        """Start it in a process group of its own; what an earlier start left of its group goes first.

        (A killed gunicorn master leaves a worker that still holds the port.)
        """
        if self._popen is not None:
            signal_group(self._popen.pid, signal.SIGKILL)
        self._popen = subprocess.Popen(
            [*_dying_with(os.getpid()), *self.part.command], env=self.part.env, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        log = self._stack.log(self.part.name)
        self._copier = threading.Thread(target=_copy, args=(self._popen.stdout, log), daemon=True)
        self._copier.start()
        self.status.pid, self.status.since = self._popen.pid, time.time()
        self.status.born = birth(self._popen.pid)
        self.status.state = "starting"

    def exit_code(self) -> int | None:
        """Return how it ended, or None while it runs."""
        return None if self._popen is None else self._popen.poll()

    def stop(self) -> None:
        """Ask it to end, then make it."""
        if self._popen is not None:
            signal_group(self._popen.pid, signal.SIGTERM)

    def finish(self, deadline: float) -> None:
        """Wait for its end until ``deadline`` (monotonic), then kill what is left of its group."""
        if self._popen is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(max(deadline - time.monotonic(), 0.1))
        signal_group(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        if self._copier is not None:
            self._copier.join(1)
        self.status.state, self.status.pid = "stopped", None

    def last_lines(self, count: int = 15) -> str:
        """Return the end of its log."""
        if self._copier is not None and self.exit_code() is not None:
            self._copier.join(1)
        with suppress(FileNotFoundError):
            return "\n".join(self._stack.log(self.part.name).read_text(errors="replace").splitlines()[-count:])
        return ""


def _copy(stream: IO[bytes], log: Path) -> None:
    """Write each line that a part says to its log, with the time."""
    with stream, log.open("ab", buffering=0) as out:
        out.write(_stamped(b"--- started\n"))
        for line in stream:
            out.write(_stamped(line))


def _stamped(line: bytes) -> bytes:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return now.encode() + b" " + (line if line.endswith(b"\n") else line + b"\n")


def signal_group(pid: int, number: int) -> None:
    """Signal a process and what it started; one that is gone already is fine."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _dying_with(parent: int) -> list[str]:
    """Return the start of a command that ends with its parent: a supervisor that is killed takes its parts along.

    The kernel is asked in the new process, which then becomes the part (Linux). A ``preexec_fn`` would do so, too, but
    forks this process with the threads of its gRPC clients: now and then a child dies of that.
    """
    if sys.platform != "linux":
        return []
    return [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(parent)]
