"""Environments of Airflow for tests, made by uv from the locks in ``composer/`` and kept below ``.stockflow``."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.wheel import build

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".stockflow" / "composer"
RUNNER = Path(__file__).parent / "run_dag.py"


class UnavailableError(Exception):
    """Why an environment cannot be made here: no such Python, or no packages."""


@dataclass(frozen=True)
class Airflow:
    """One of the two that Cloud Composer 3 offers; ``python`` is the version that it runs there, or can."""

    name: str
    python: str

    @property
    def lock(self) -> Path:
        """Its packages, each with its hash."""
        return ROOT / "composer" / f"requirements-{self.name}.txt"

    def folder(self) -> Path:
        """Return the environment, made when the lock or the wheel is another than last time.

        Raises:
            UnavailableError: it cannot be made here.
        """
        wheel = build(ROOT, CACHE / "wheels")
        key = hashlib.sha256(self.lock.read_bytes() + self.python.encode()).hexdigest()[:12]
        folder = CACHE / f"{self.name}-{key}"
        if not (folder / "ready").exists():
            _say(f"making an environment for {self.name} on Python {self.python} (minutes without uv's cache)")
            shutil.rmtree(folder, ignore_errors=True)
            _uv("venv", "--quiet", "--python", _python(self.python), str(folder))
            _uv(
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "--python",
                str(folder / "bin/python"),
                "-r",
                str(self.lock),
            )
            (folder / "ready").touch()
        stamp = folder / "wheel"
        if not stamp.exists() or stamp.read_text() != wheel.name:
            _uv(
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--reinstall",
                "--python",
                str(folder / "bin/python"),
                str(wheel),
            )
            stamp.write_text(wheel.name)
        return folder

    def home(self) -> Path:
        """Return a home of Airflow with an empty database, made once."""
        home = self.folder() / "home"
        if not (home / "ready").exists():
            _say(f"making a database for {self.name}")
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            command = [str(self.folder() / "bin/airflow"), "db", "migrate"]
            done = subprocess.run(command, env=self.env(home), capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            (home / "ready").touch()
        return home

    def env(self, home: Path) -> dict[str, str]:
        """Return the variables of a process in it."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "PYTHON", "VIRTUAL_ENV"))}
        own = {
            "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "composer" / "dags"), "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db", "NO_PROXY": "*",
        }  # fmt: skip
        return {**kept, **own}

    def run(self, home: Path, *words: str, seconds: float = 900) -> dict[str, Any]:
        """Run ``run_dag.py`` with these arguments; return what it printed."""
        command = [str(self.folder() / "bin/python"), str(RUNNER), str(ROOT / "composer" / "dags"), *words]
        done = subprocess.run(
            command, env=self.env(home), cwd=home, capture_output=True, text=True, check=False, timeout=seconds
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return told | {"said": done.stdout + done.stderr}


AIRFLOWS = (Airflow("airflow2", "3.11"), Airflow("airflow3", "3.13"))


def _say(words: str) -> None:
    print(f"composer: {words}", file=sys.stderr, flush=True)


def _python(version: str) -> str:
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = sorted(pyenv.glob(f"{version}*/bin/python"))
    return str(found[-1]) if found else version


def _uv(*words: str) -> None:
    command = [sys.executable, "-m", "uv", *words]
    env = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=900)
    if done.returncode:
        raise UnavailableError(f"uv {words[0]} {words[1]}: {done.stderr.strip()[-500:]}")
