"""The process that readers of risky formats run in: it waits, with everything imported, and forks for each file.

It has one thread and opens nothing, so forking is safe here; in a server with threads it is not. Each fork has
limits on memory and time of its own, and a crash ends nothing else.
"""

import contextlib
import importlib
import os
import pickle
import resource
import select
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import BinaryIO

from functions.ingest.readers import sandbox_wire as wire
from functions.ingest.readers.model import Facts
from functions.ingest.readers.sandbox_job import Job
from stockflow.errors import PermanentError

_MODULES = ("workbook", "xlsx", "calamine_book", "columnar")
_ERRORS = 1 << 16  # bytes that a reader may write to stderr


def serve(control: socket.socket) -> None:
    """Fork for each job that comes, tell how each fork ended; until the other side is gone."""
    for name in _MODULES:
        importlib.import_module(f"functions.ingest.readers.{name}")
    importlib.import_module("python_calamine")
    waker, ended = socket.socketpair()
    ended.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(ended.fileno())
    running: dict[int, int] = {}  # process -> where its end is told
    while True:
        ready, _, _ = select.select([control, waker], [], [])
        if waker in ready:
            waker.recv(4096)
            _tell_ended(running)
        if control in ready and not _start(control, running):
            return


def _start(control: socket.socket, running: dict[int, int]) -> bool:
    head, fds, _, _ = socket.recv_fds(control, 8, 4)
    if not head:
        return False
    job = pickle.loads(_exactly(control, int.from_bytes(head, "big")))
    file, results, errors, status = fds
    pid = os.fork()
    if pid == 0:
        control.close()
        for other in (status, *running.values()):
            os.close(other)
        _run(job, file, results, errors)
    for fd in (file, results, errors):
        os.close(fd)
    with contextlib.suppress(OSError):
        os.write(status, pid.to_bytes(4, "big"))
    running[pid] = status
    return True


def _exactly(control: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (part := control.recv(size - len(data))):
        data += part
    return data


def _tell_ended(running: dict[int, int]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        told = running.pop(pid)
        with contextlib.suppress(OSError):
            os.write(told, (os.waitstatus_to_exitcode(status) & 0xFFFF).to_bytes(4, "big"))
        os.close(told)


def _run(job: Job, file: int, results: int, errors: int) -> None:
    """Read the file and end this process."""
    code = 1
    try:
        os.dup2(errors, 2)
        _limit(job)
        with os.fdopen(file, "rb") as source, os.fdopen(results, "wb") as out:
            _read(job, source, out)
        code = 0
    except BaseException:  # it ends here, whatever it is; the last line says what it was
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    finally:
        os._exit(code)


def _limit(job: Job) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, job.seconds)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, _ERRORS)
    _lower(resource.RLIMIT_CPU, job.cpu_seconds)
    _lower(resource.RLIMIT_AS, _address_space() + job.memory_bytes)


def _lower(kind: int, limit: int) -> None:
    with contextlib.suppress(ValueError, OSError):  # macOS knows no limit of address space
        resource.setrlimit(kind, (limit, limit))


def _address_space() -> int:
    """Return how much address space this process has taken already: libraries, mostly."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    return 1 << 30


def _read(job: Job, source: BinaryIO, out: BinaryIO) -> None:
    read = getattr(importlib.import_module(job.module), job.function)
    facts = Facts()
    try:
        for chunk in read(source, job.target, facts):
            wire.send_chunk(out, chunk)
        end: dict[str, object] = {"kind": "end"}
    except PermanentError as error:
        end = {"kind": "error", "code": error.code, "message": error.message, "error_facts": _plain(error.facts)}
    except MemoryError:
        end = {"kind": "memory"}
    wire.send(out, {**end, "format": facts.format, "facts": _plain(facts.values)})


def _plain(values: dict[str, object]) -> dict[str, object]:
    return {k: v for k, v in values.items() if isinstance(v, (str, int, float, list, dict, bool, type(None)))}


def main() -> None:
    """Serve on the socket whose number is the one argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for those who ask
    with socket.socket(fileno=int(sys.argv[1])) as control:
        serve(control)
