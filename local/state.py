"""The one folder that holds a stack: its settings, data and logs, and what is running."""

import json
import os
import random
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stockflow.stages import STAGES

PARTS = ("pubsub", "storage", "bigquery", *STAGES, "dashboard")
FUNCTIONS = STAGES  # a function for each stage
PORTS = ("pubsub", "pubsub_rest", "storage", "bigquery", "bigquery_grpc", *FUNCTIONS, "dashboard")
# Below what Linux (32768) and macOS (49152) hand to outgoing connections: of those, any may take a port that
# was free a moment ago, or that a stack left for a moment and wants back.
LISTENING = range(20_000, 30_000)
_CHOICE = random.SystemRandom()


@dataclass(frozen=True)
class Stack:
    """Where a stack's parts are. Ports are chosen free once and kept while they stay free."""

    folder: Path
    project: str = "stockflow-local"
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def landing(self) -> str:
        """The landing bucket."""
        return f"{self.project}-landing"

    def url(self, part: str) -> str:
        """The base URL of a part."""
        return f"http://127.0.0.1:{self.ports[part]}"

    def log(self, part: str) -> Path:
        """The file that a part writes its output to."""
        return self.folder / "logs" / f"{part}.log"

    @property
    def file(self) -> Path:
        """Where the ports are kept."""
        return self.folder / "stack.json"

    @property
    def status_file(self) -> Path:
        """Where the supervisor says what is running."""
        return self.folder / "status.json"


def open_stack(folder: Path, project: str = "stockflow-local") -> Stack:
    """Return the stack in ``folder``; a new one gets free ports.

    Ports of an earlier run are kept while nobody else took them, so that addresses stay the same.
    """
    folder = folder.resolve()
    known = _read(folder / "stack.json")
    ports = dict(known["ports"]) if known else dict(zip(PORTS, _free_ports(len(PORTS)), strict=True))
    if not running(folder):
        ports = {name: port if _is_free(port) else free_port() for name, port in ports.items()}
    stack = Stack(folder, known["project"] if known else project, ports)
    for name in ("logs", "gcs", "bigquery", "pubsub", "home", "gcloud"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    write_json(stack.file, {"project": stack.project, "ports": stack.ports})
    return stack


def find_stack(folder: Path) -> Stack | None:
    """Return the stack in ``folder``, or None when there never was one."""
    known = _read(folder / "stack.json")
    return Stack(folder.resolve(), known["project"], known["ports"]) if known else None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        loaded: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return loaded


def write_json(path: Path, value: Any) -> None:
    """Write a file that a reader never sees half of."""
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(value, indent=2))
    part.replace(path)


@dataclass
class PartStatus:
    """How one part is doing: starting, healthy, restarting, failed or stopped."""

    name: str
    state: str = "starting"
    pid: int | None = None
    born: str | None = None
    port: int | None = None
    restarts: int = 0
    since: float = 0.0
    message: str = ""


@dataclass
class StackStatus:
    """How the stack is doing: starting, ready, failed or stopped."""

    state: str
    pid: int
    born: str
    parts: list[PartStatus]
    message: str = ""


def read_status(folder: Path) -> StackStatus | None:
    """Return what the supervisor last said, or None."""
    data = _read(folder / "status.json")
    if data is None:
        return None
    return StackStatus(**{**data, "parts": [PartStatus(**p) for p in data["parts"]]})


def write_status(stack: Stack, status: StackStatus) -> None:
    """Say how the stack is doing."""
    write_json(stack.status_file, asdict(status))


def birth(pid: int) -> str | None:
    """Return when a process was started (a pid alone may be somebody else's by now), or None."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the second: it ended while its file was read
        return None if Path("/proc/self").exists() or not _exists(pid) else "unknown"
    state, started = text.rsplit(")", 1)[1].split()[0], text.rsplit(")", 1)[1].split()[19]
    return None if state == "Z" else started


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def alive(pid: int | None, born: str | None) -> bool:
    """Whether that very process still runs."""
    return pid is not None and born is not None and birth(pid) == born


def running(folder: Path) -> bool:
    """Whether a supervisor of this folder runs."""
    status = read_status(folder)
    return status is not None and alive(status.pid, status.born)


def free_port() -> int:
    """Return a port that nobody listens on, and that no outgoing connection will be given meanwhile."""
    return next(port for port in _CHOICE.sample(LISTENING, len(LISTENING)) if _is_free(port))


def _free_ports(count: int) -> list[int]:
    """A run of free neighbours: two stacks that choose at the same moment then hardly ever meet."""
    starts = LISTENING[:: len(PORTS)]
    runs = ([*range(start, start + count)] for start in _CHOICE.sample(starts, len(starts)))
    return next(ports for ports in runs if all(map(_is_free, ports)))


def _is_free(port: int) -> bool:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
