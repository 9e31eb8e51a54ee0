"""Every command is documented, has examples, answers in JSON where it answers, and fails in one line."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from cli.main import app, main

WITHOUT_DATA: set[str] = {
    "demo",  # it tells a story, the commands that it uses have --json
    "mcp",  # all that it says is JSON
}


def commands() -> Iterator[tuple[str, click.Command]]:
    """Each command with its full name."""
    root = typer.main.get_command(app)
    stack: list[tuple[str, Any]] = [("", root)]
    while stack:
        name, command = stack.pop()
        inner = getattr(command, "commands", None)
        if inner is None or getattr(command, "invoke_without_command", False):
            yield name, command
        if inner is not None:
            stack += [(f"{name} {n}".strip(), c) for n, c in inner.items()]


ALL = sorted(commands(), key=lambda pair: pair[0])


@pytest.mark.parametrize(("name", "command"), ALL, ids=[n for n, _ in ALL])
def test_a_command_is_documented(name: str, command: click.Command) -> None:
    """It says what it does, gives examples of itself, and says what each option is for."""
    text = command.help or ""
    assert text.split("\n")[0].endswith("."), "the first line is a sentence"
    assert "Examples:" in text and f"stockflow {name}" in text.split("Examples:")[1]
    undocumented = [p.name for p in command.params if not getattr(p, "help", None) and p.name != "help"]
    assert undocumented == []


@pytest.mark.parametrize(("name", "command"), ALL, ids=[n for n, _ in ALL])
def test_a_command_answers_in_json(name: str, command: click.Command) -> None:
    """Whatever it prints for people, programs get as JSON."""
    assert name in WITHOUT_DATA or any("--json" in p.opts for p in command.params)


@dataclass
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run the command in this process, on a state folder where nothing runs (a process each costs seconds)."""
    for name in [n for n in os.environ if n.startswith("STOCKFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("STOCKFLOW_STATE", str(tmp_path))

    def command(*args: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["stockflow", *args])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return Done(code if isinstance(code, int) else int(code is not None), *capsys.readouterr())

    return command


@pytest.mark.parametrize("args", [["status"], ["loads"], ["env"], ["explain", "x.csv"], ["kpi", "list"], ["audit"]])
def test_without_a_stack_one_line_says_what_to_do(args: list[str], run: Callable[..., Done]) -> None:
    """Given no running stack, the error is one line that names the command to run; no traceback."""
    done = run(*args)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "stockflow up" in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.replace("\n", " ").strip().split("stockflow: ")) == 2


WRONG = [
    ["access"],
    ["backfill", "--from", "2026-13-01"],
    ["backfill", "--from", "2026-10-02", "--to", "2026-10-01"],
    ["catalog", "export", "--number", "x"],
    ["contract", "check", "none.yaml"],
    ["cost", "--feed", "none"],
    ["dashboard", "link"],
    ["erase", "--person", "x"],
    ["kpi", "check", "none.sql"],
    ["kpi", "new", "Not A Name"],
    ["lineage", "show", "none"],
    ["logs", "none"],
    ["loads", "retry", "x"],
    ["simulate", "--files-per-day", "0"],
    ["try", str(Path(__file__))],
]


@pytest.mark.parametrize("args", WRONG, ids=[" ".join(a[:2]) for a in WRONG])
def test_an_error_ends_with_the_command_that_helps(args: list[str], run: Callable[..., Done]) -> None:
    """Given wrong input, what is said names a command to run next: one that shows what there is, or the help."""
    done = run(*args)
    assert done.returncode == 1 and done.stdout == ""
    assert re.search(r"`(stockflow|gcloud) [^`]+`[^`]*$", done.stderr), done.stderr


def test_the_help_that_an_error_names_is_of_the_command_itself(run: Callable[..., Done]) -> None:
    """Those in a group, too: see ``test_lazy.py``."""
    assert "`stockflow simulate --help`" in run("simulate", "--files-per-day", "0").stderr


def test_an_error_names_a_better_command_than_its_help(
    run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given what is wrong, the command that shows what is right; those of `kpi` are in ``test_kpi_errors.py``."""
    monkeypatch.setenv("STOCKFLOW_CLI_PROJECT", "shop")
    asked = run("catalog", "export", "--number", "x").stderr
    assert "`gcloud projects describe shop --format='value(projectNumber)'` prints it" in asked
    assert "did you mean sales? `stockflow cost --feed sales`" in run("cost", "--feed", "sale").stderr
    assert "expected one of" in (other := run("cost", "--feed", "none").stderr) and "`stockflow cost --feed " in other


def test_down_without_a_stack_is_fine(run: Callable[..., Done]) -> None:
    """Given nothing to stop, down succeeds and says so."""
    done = run("down", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"stopped": False, "purged": False})


def test_a_wrong_file_is_refused_before_anything_is_done(tmp_path: Path, run: Callable[..., Done]) -> None:
    """Given a file that does not exist, drop says so with the usage, exit code 2."""
    done = run("drop", str(tmp_path / "none.csv"))
    assert done.returncode == 2 and "none.csv" in done.stderr.replace("\n", "")


def test_the_command_is_a_program(tmp_path: Path) -> None:
    """Started as a process of its own, it fails in the same way."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("STOCKFLOW_")}
    command = [sys.executable, "-m", "cli.main", "--state", str(tmp_path), "status"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    assert "stockflow up" in done.stderr and "Traceback" not in done.stderr


def test_completion_is_offered() -> None:
    """The shell can complete commands and options."""
    params = {o for p in typer.main.get_command(app).params for o in p.opts}
    assert {"--install-completion", "--show-completion"} <= params
