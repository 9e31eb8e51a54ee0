"""Runs a reader in a process of its own, with limits: whatever a file does to it, its neighbours go on."""

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import BinaryIO

import pyarrow as pa

from functions.ingest.readers import sandbox_wire as wire
from functions.ingest.readers.model import Chunk, Facts
from functions.ingest.readers.sandbox_job import Job
from stockflow.errors import PermanentError, TransientError

# Arrow takes numpy along where it is installed, and that starts a thread: a process that forks must have one only.
_SERVER = "import sys; sys.modules['numpy'] = None; from functions.ingest.readers.sandbox_server import main; main()"
_ONE = threading.Semaphore(1)  # the memory of an instance holds one such process at a time
_SHOWN = 300
# Bytes of memory for each byte of a file that no file takes which people write (``limits.COSTS``: at most 60).
_SWOLLEN = 200
_ENDS: dict[int, str] = {
    signal.SIGALRM: "took too long",
    signal.SIGXCPU: "took too long",
    signal.SIGKILL: "took too long, or more memory than there is",
}


class _Server:
    """The waiting process, started when the first file needs it; again when it is gone, or we are a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = 0

    def submit(self, job: Job, fds: list[int]) -> None:
        """Have a job done; the files are those that the server's ``_start`` expects."""
        payload = pickle.dumps(job)
        with self._lock:
            for attempt in range(2):
                control = self._running(again=attempt > 0)
                try:
                    socket.send_fds(control, [len(payload).to_bytes(8, "big")], fds)
                    control.sendall(payload)
                except OSError as error:  # it was killed: by the kernel, most likely
                    if attempt:
                        raise TransientError("no_sandbox", f"the reading process cannot be reached: {error}") from error
                else:
                    return

    def prepare(self) -> None:
        """Start it, so that it is there when the file is."""
        with self._lock:
            self._running(again=False)

    def _running(self, again: bool) -> socket.socket:
        alive = self._owner == os.getpid() and self._process is not None and self._process.poll() is None
        if self._control is None or not alive or again:
            self._start()
        assert self._control is not None
        return self._control

    def _start(self) -> None:
        if self._control is not None:
            self._control.close()
        ours, theirs = socket.socketpair()
        with theirs:
            env = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "MALLOC_ARENA_MAX": "2"}
            env |= {"ARROW_DEFAULT_MEMORY_POOL": "system"}
            command = [sys.executable, "-c", _SERVER, str(theirs.fileno())]
            self._process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        self._control, self._owner = ours, os.getpid()


_server = _Server()
prepare = _server.prepare


def isolated(job: Job, file: BinaryIO, facts: Facts) -> Iterator[Chunk]:
    """Yield what a reader yields that runs in a process of its own; ``file`` needs a descriptor.

    Raises:
        PermanentError: the reader's own; ``unreadable_workbook`` or ``unreadable_file`` when its process died or the
            file is damaged so that it asks for much memory, ``too_large_for_function`` when memory did not suffice.
        TransientError: ``no_sandbox`` when no process could be had.
    """
    job = replace(job, size=os.fstat(file.fileno()).st_size)
    with _ONE, tempfile.TemporaryFile() as errors:
        results, results_in = os.pipe()
        status, status_in = os.pipe()
        with os.fdopen(results, "rb") as source, os.fdopen(status, "rb") as ending:
            try:
                _server.submit(job, [file.fileno(), results_in, errors.fileno(), status_in])
            finally:
                os.close(results_in)
                os.close(status_in)
            pid = int.from_bytes(ending.read(4), "big")
            try:
                finished = yield from _chunks(source, job, facts)
            except BaseException:
                _kill(pid)
                raise
            if not finished:
                raise _died(ending.read(4), errors, job)


def _kill(pid: int) -> None:
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _chunks(source: BinaryIO, job: Job, facts: Facts) -> Generator[Chunk, None, bool]:
    """Yield the chunks; return whether the reader finished."""
    try:
        while message := wire.receive(source):
            head, body = message
            if head["kind"] == "chunk":
                yield wire.chunk_of(head, body)
                continue
            facts.format = head["format"] or facts.format
            facts.note(**head["facts"])
            if head["kind"] == "memory":
                raise _out_of_memory(job)
            if head["kind"] == "error":
                raise PermanentError(head["code"], head["message"], **head["error_facts"])
            return True
    except (pa.ArrowException, KeyError, ValueError, TypeError):
        return False  # what it says makes no sense: it counts as dead
    return False


def _out_of_memory(job: Job) -> PermanentError:
    """Return the error of a file whose reader wanted more memory than there is: too large, or damaged."""
    took = f"more than {job.memory_bytes / 1e6:,.0f} MB of memory"
    if job.size * _SWOLLEN < job.memory_bytes:
        cause = "it is damaged, or has a cell far from the others" if _is_workbook(job) else "it is damaged"
        return _unreadable(job, f"its {job.size:,} bytes make the reader take {took}: {cause}", size=job.size)
    return PermanentError(
        "too_large_for_function",
        f"{job.target.name}: reading it takes {took}. Save it as CSV, or split it",
        memory_bytes=job.memory_bytes,
    )


def _unreadable(job: Job, why: str, **facts: int) -> PermanentError:
    code = "unreadable_workbook" if _is_workbook(job) else "unreadable_file"
    advice = "Open it, save it again, or save it as CSV"
    return PermanentError(code, f"{job.target.name} cannot be read: {why}. {advice}", **facts)


def _is_workbook(job: Job) -> bool:
    return "workbook" in job.module


def _died(status: bytes, errors: BinaryIO, job: Job) -> PermanentError | TransientError:
    if len(status) < 4:
        return TransientError("no_sandbox", f"{job.target.name}: the process that started its reader is gone")
    code = int.from_bytes(status, "big")
    number = 0x10000 - code if code > 0x8000 else 0
    errors.seek(0)
    said = errors.read().decode("utf-8", "replace").strip().splitlines()
    last = said[-1][:_SHOWN] if said else ""
    if "memory allocation of" in " ".join(said):
        return _out_of_memory(job)
    what = _ENDS.get(number) or (f"was ended by {signal.Signals(number).name}" if number else f"ended with code {code}")
    return _unreadable(job, f"the process that read it {what}{f' ({last})' if last else ''}", signal=number)
