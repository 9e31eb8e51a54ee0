"""The environment of the Beam pipeline for tests, made by uv from its lock and kept below ``.stockflow``."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "dataflow" / "requirements-local.txt"
CACHE = ROOT / ".stockflow" / "dataflow"
RUNNER = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"


class UnavailableError(Exception):
    """Why the environment cannot be made here: no packages."""


def python() -> Path:
    """Return its Python; the environment is made when the lock is another than last time.

    Raises:
        UnavailableError: it cannot be made here.
    """
    folder = CACHE / hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:12]
    if not (folder / "ready").exists():
        print("dataflow: making an environment for Apache Beam", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--quiet", "--python", sys.executable, str(folder))
        _uv("pip", "install", "--quiet", "--require-hashes", "--python", str(folder / "bin/python"), "-r", str(LOCK))
        (folder / "ready").touch()
    return folder / "bin/python"


@dataclass(frozen=True)
class Ran:
    """How a run of the pipeline ended: its exit code and what it said."""

    code: int
    said: str


def command(arguments: list[str], workers: int) -> list[str]:
    """Return the command that runs the pipeline's entry point on Beam's local runner, each worker a process."""
    return [
        str(python()), "-m", "dataflow.main", *arguments, f"--runner={RUNNER}", f"--direct_num_workers={workers}",
        "--direct_running_mode=multi_processing",
    ]  # fmt: skip


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a process that runs this checkout's code, with these added."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return {**kept, **variables, "PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}", "NO_PROXY": "*"}


def run(arguments: list[str], variables: Mapping[str, str], workers: int = 2, seconds: float = 240) -> Ran:
    """Run the pipeline; ``variables`` are added to the environment of the process and of its workers."""
    done = subprocess.run(
        command(arguments, workers), cwd=ROOT, env=environment(variables), capture_output=True, text=True,
        check=False, timeout=seconds,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout + done.stderr)


def _uv(*words: str) -> None:
    env = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    command = [sys.executable, "-m", "uv", *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=900)
    if done.returncode:
        raise UnavailableError(f"uv {words[0]} {words[1]}: {done.stderr.strip()[-500:]}")
