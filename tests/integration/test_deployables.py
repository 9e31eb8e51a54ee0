"""Each function's zip is enough: installed by its lock into a clean environment it starts, answers and stays small."""

import base64
import json
import os
import resource
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.packaging import FUNCTIONS, Deployable, build
from local.state import free_port
from stockflow.waiting import wait_until

ROOT = Path(__file__).parents[2]
BUDGET = yaml.safe_load((Path(__file__).parent / "deployables.yaml").read_text())
REPORT = ROOT / "build/deployables.json"
UV = [sys.executable, "-m", "uv"]
START_SECONDS = 120

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Installed:
    """A function as the cloud has it: its zip unpacked, its lock installed, nothing else."""

    zip: Deployable
    source: Path
    venv: Path

    @property
    def python(self) -> Path:
        return self.venv / "bin/python"

    @property
    def distributions(self) -> set[str]:
        """The names of what is installed."""
        found = self.venv.glob("lib/python*/site-packages/*.dist-info")
        return {p.name.split("-")[0].lower().replace("_", "-") for p in found}

    @property
    def megabytes(self) -> float:
        """What the lock takes on disk, without compiled files."""
        files = (p for p in self.venv.rglob("*") if p.suffix != ".pyc" and p.is_file() and not p.is_symlink())
        return sum(p.stat().st_size for p in files) / 1e6

    def environment(self, **extra: str) -> dict[str, str]:
        """Nothing of the checkout: only the zip's folder can be imported."""
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
        return kept | {"GOOGLE_CLOUD_PROJECT": "example", "GX_ANALYTICS_ENABLED": "false", "THREADS": "2", **extra}

    def processor_seconds(self, statement: str) -> float:
        """Processor time of one Python that runs a statement: less fragile than time on a wall clock."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([self.python, "-c", statement], cwd=self.source, env=self.environment(), check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.fixture(scope="module", params=FUNCTIONS)
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """One function, packaged and installed as Cloud Build's buildpack would."""
    folder = tmp_path_factory.mktemp(request.param)
    deployable = build(ROOT, folder, request.param)
    made = Installed(deployable, folder / "source", folder / "venv")
    with zipfile.ZipFile(deployable.path) as bundle:
        bundle.extractall(made.source)
    subprocess.run([*UV, "venv", "-q", "--python", sys.executable, made.venv], check=True)
    lock = made.source / "requirements.txt"
    install: list[str | Path] = [
        *UV,
        "pip",
        "install",
        "-q",
        "--require-hashes",
        "--no-deps",
        "--python",
        made.python,
        "-r",
        lock,
    ]
    subprocess.run(install, check=True)
    return made


@contextmanager
def serving(function: Installed) -> Iterator[tuple[str, Path]]:
    """Yield the address of the running function, and the file that holds what it says."""
    port = free_port()
    command: list[str | Path] = [
        function.python, "-m", "functions_framework", "--target", "handle", "--source", "main.py",
        "--signature-type", "cloudevent", "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    said = function.venv.parent / "said.log"
    environment = function.environment(K_SERVICE=f"stockflow-{function.zip.function}", K_REVISION="r1")
    with said.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=function.source, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        assert wait_until(lambda: process.poll() is not None or listens(port), START_SECONDS), said.read_text()
        assert process.poll() is None, said.read_text()
        yield f"http://127.0.0.1:{port}", said
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def push(url: str, data: bytes, trace: str) -> int:
    """Post a Pub/Sub push body; return the status of the answer."""
    message = {"messageId": "1", "publishTime": "2026-11-23T10:00:00Z", "data": base64.b64encode(data).decode()}
    body = json.dumps({"message": message, "subscription": "projects/example/subscriptions/s"}).encode()
    headers = {"Content-Type": "application/json", "X-Cloud-Trace-Context": f"{trace}/1;o=1"}
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def lines(said: Path) -> list[dict[str, Any]]:
    """What a function itself said: its structured lines (the handler first says its own version)."""
    found = [json.loads(line) for line in said.read_text().splitlines() if line.startswith("{")]
    return [line for line in found if "message" in line]


def test_it_starts_from_its_zip_and_answers_an_event(installed: Installed) -> None:
    """Given a message that no retry can help, it is acknowledged; one ERROR line of the request's trace says why."""
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with serving(installed) as (url, said):
        assert push(url, b'{"no": "event of ours"}', trace) == 200
        assert wait_until(lambda: lines(said), 60)
    error = lines(said)[0]
    assert error["severity"] == "ERROR"
    assert error["logging.googleapis.com/trace"] == f"projects/example/traces/{trace}"
    assert error["serviceContext"] == {"service": f"stockflow-{installed.zip.function}", "version": "r1"}
    assert error["logging.googleapis.com/labels"]["code"] == "bad_event"
    assert error["logging.googleapis.com/labels"]["stage"] == installed.zip.function


def test_only_validate_carries_great_expectations(installed: Installed) -> None:
    """It is by far the heaviest dependency: 7 to 9 s of cold start elsewhere would be for nothing."""
    carried = {"great-expectations", "pandas"} & installed.distributions
    assert carried == ({"great-expectations", "pandas"} if installed.zip.function == "validate" else set())


def test_nothing_of_the_laptop_is_carried(installed: Installed) -> None:
    """No emulator, no test tool, no command line in a function."""
    assert not {"local-bigquery", "duckdb", "streamlit", "pytest", "typer", "uv"} & installed.distributions


def test_size_and_import_stay_in_their_budget(installed: Installed) -> None:
    """Bytes to upload, bytes installed, and the import as a multiple of a bare Python's start."""
    installed.processor_seconds("import main")  # compiles, as the build in the cloud does
    bare = min(installed.processor_seconds("pass") for _ in range(3))
    found = {
        "zip_kilobytes": round(installed.zip.size / 1000),
        "installed_megabytes": round(installed.megabytes),
        "import_in_bare_starts": round(min(installed.processor_seconds("import main") for _ in range(2)) / bare),
    }
    report(installed.zip.function, {**found, "bare_start_seconds": round(bare, 3)})
    budget = BUDGET[installed.zip.function]
    assert {name: value for name, value in found.items() if value > budget[name]} == {}, f"{found} against {budget}"


def report(function: str, found: dict[str, Any]) -> None:
    """Write the figures where CI keeps them."""
    REPORT.parent.mkdir(exist_ok=True)
    before = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    REPORT.write_text(json.dumps({**before, function: {**found, "measured": time.strftime("%F")}}, indent=2) + "\n")
