"""How commands answer: tables for people, JSON for programs, errors in one line."""

import json
import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

STATE_COLOURS = {
    "loaded": "green", "validated": "green", "transformed": "green", "refreshed": "green", "healthy": "green",
    "ready": "green", "rejected": "red", "failed": "red", "duplicate_content": "yellow", "ignored": "bright_black",
    "starting": "yellow", "restarting": "yellow", "handed_over": "yellow",
}  # fmt: skip


class CommandError(Exception):
    """What a person can do something about, and the command that helps: printed in one line, exit code 1."""

    def __init__(self, what: str, helps: str = "") -> None:
        super().__init__(_joined(what, helps) if helps else what)


def _joined(what: str, helps: str) -> str:
    between = "\n" if "\n" in what else " " if what.endswith("?") else "; "
    return f"{what}{between}{helps}"


def told(error: Exception) -> str:
    """Return what an error says to a person; it ends with a command that helps: its own, or help of what was called."""
    text, called = str(error), next(iter(getattr(error, "__notes__", ())), "stockflow")
    if "`" in text.rpartition("\n")[2]:
        return text
    helps = f"`{called} --help` shows what it takes"
    if not isinstance(error, CommandError):
        helps = "`stockflow doctor` compares the environment with what is expected"
    return _joined(text, helps)


def console() -> "Console":
    """Return the console of standard output: colours only on a terminal, no cut lines in a pipe."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)


def errors() -> "Console":
    """Return the console of standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def progress() -> "Progress":
    """Return a bar with what is done of a total and the time since, on standard error; without a terminal, lines."""
    from cli.bar import Bar

    return Bar(errors())


def quiet() -> None:
    """Keep the stages' own log lines from the person at the terminal: they run in this process now."""
    logging.disable(logging.WARNING)


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: times in ISO 8601, decimals as text."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def print_json(value: Any) -> None:
    """Print JSON, one document."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=plain))


def print_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], title: str | None = None) -> None:
    """Print rows as a table with these columns; numbers to the right."""
    from rich.table import Table

    rows = list(rows)
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for name in columns:
        numeric = any(isinstance(r.get(name), int | float | Decimal) for r in rows)
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell(row.get(name)) for name in columns))
    console().print(table)


def cell(value: Any) -> str:
    """Return a value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float | Decimal):
        return f"{value:,.2f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    text = str(value).replace("[", r"\[")
    colour = STATE_COLOURS.get(text)
    return f"[{colour}]{text}[/]" if colour else text
