"""logs: what the parts of the stack say, the functions' JSON rendered as lines."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import target
from cli.output import CommandError
from cli.stack import Json
from local.state import PARTS

_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z) ?(.*)", re.DOTALL)
_HIDDEN = ("python_logger",)


@dataclass(frozen=True)
class Line:
    """One line of a part's log; ``time`` is None for the supervisor's own words."""

    part: str
    time: datetime | None
    message: str
    severity: str = ""
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The line as people read it."""
        at = f"{self.time:%H:%M:%S}" if self.time else " " * 8
        labels = "".join(f"  {k}={v}" for k, v in self.labels.items())
        return f"{at} {self.part:<10} {self.severity:<8}{self.message}{labels}"

    def row(self) -> dict[str, Any]:
        """The line as JSON."""
        at = self.time.isoformat() if self.time else None
        return {"part": self.part, "time": at, "severity": self.severity, "message": self.message, **self.labels}


def parse(part: str, text: str) -> Line:
    """Return a line of a log file: the time it was written, then what the part said."""
    stamp = _STAMP.fullmatch(text)
    when, said = (datetime.fromisoformat(stamp[1]), stamp[2]) if stamp else (None, text)
    if said.startswith("{"):
        with suppress(json.JSONDecodeError):
            entry = json.loads(said)
            labels = entry.get("logging.googleapis.com/labels", {})
            shown = {k: str(v) for k, v in labels.items() if k not in _HIDDEN}
            return Line(part, when, str(entry.get("message", said)), str(entry.get("severity", "")), shown)
    return Line(part, when, said)


def logs(
    part: Annotated[str | None, typer.Argument(help=f"One of {', '.join(PARTS)}, supervisor; all if left out.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing new lines.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines of each part.")] = 50,
    since: Annotated[str, typer.Option(help="Only the lines of the last 30s, 10m or 2h.")] = "",
    as_json: Json = False,
) -> None:
    """Print the logs of all parts in order of time; the functions' JSON is rendered as text.

    With --json one object a line.

    Examples:

      stockflow logs ingest

      stockflow logs -f

      stockflow logs kpi --since 10m --json
    """
    files = _files(part)
    oldest = ago(since)
    last = [parse(n, t) for n, p in files.items() for t in p.read_text(errors="replace").splitlines()[-lines:]]
    for line in sorted(last, key=lambda found: found.time or datetime.min.replace(tzinfo=UTC)):
        if oldest is None or (line.time is not None and line.time >= oldest):
            _print(line, as_json)
    if follow:
        _follow(files, as_json)


def _files(part: str | None) -> dict[str, Path]:
    folder = target.folder() / "logs"
    names = [part] if part else [*PARTS, "supervisor"]
    files = {n: folder / f"{n}.log" for n in names if (folder / f"{n}.log").exists()}
    if not files:
        raise CommandError(
            f"no log of {part or 'any part'} in {folder}/; parts are {', '.join(PARTS)}; `stockflow status` shows them"
        )
    return files


def ago(text: str) -> datetime | None:
    """Return the moment that ``30s``, ``10m`` or ``2h`` before now means.

    Raises:
        CommandError: when it is none of these.
    """
    if not text:
        return None
    match = re.fullmatch(r"(\d+)([smh])", text)
    if match is None:
        raise CommandError(f"--since {text}: expected a number and s, m or h, such as 10m")
    return datetime.now(UTC) - timedelta(seconds=int(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]])


def _print(line: Line, as_json: bool) -> None:
    print(json.dumps(line.row(), ensure_ascii=False) if as_json else line.text, flush=True)


def _follow(files: dict[str, Path], as_json: bool) -> None:
    tails = {name: _tail(path) for name, path in files.items()}
    with suppress(KeyboardInterrupt):
        while True:
            for name, tail in tails.items():
                while (text := next(tail)) is not None:
                    _print(parse(name, text), as_json)
            time.sleep(0.2)


def _tail(path: Path) -> Iterator[str | None]:
    """Yield each whole line that is added to a file, None when there is none just now."""
    with path.open(errors="replace") as file:
        file.seek(0, 2)
        begun = ""
        while True:
            begun += file.readline()
            if begun.endswith("\n"):
                yield begun.rstrip("\n")
                begun = ""
            else:
                yield None
