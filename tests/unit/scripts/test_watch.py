"""`make watch`: what a saved file touches is run."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.watch import ROOT, touched_by


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ("shared/stockflow/conflicts.py", ["tests/unit/shared/test_conflicts.py"]),
        ("tests/unit/shared/test_log.py", ["tests/unit/shared/test_log.py"]),
        ("contracts/sales.yaml", ["tests/unit/contracts"]),
        ("functions/transform/models/sales.sql", ["tests/unit/transform"]),
        ("docs/flow.md", []),
    ],
)
def test_a_file_touches_the_tests_that_import_or_read_it(changed: str, wanted: list[str]) -> None:
    assert touched_by([ROOT / changed]) == wanted


def test_a_module_that_no_test_imports_touches_the_tests_of_those_that_import_it() -> None:
    """The strict parser is tested through the reader of CSV, and by nothing far away."""
    found = touched_by([ROOT / "functions/ingest/readers/strict.py"])
    assert found and all(test.startswith("tests/unit/ingest/") for test in found)


def test_a_saved_file_runs_its_tests(tmp_path: Path) -> None:
    """A project of one module: its test runs, and fails, as soon as the module is saved with a fault."""
    code, tests = tmp_path / "cli", tmp_path / "tests/unit"
    code.mkdir()
    tests.mkdir(parents=True)
    (code / "__init__.py").touch()
    (code / "one.py").write_text("ANSWER = 1\n")
    (tests / "test_one.py").write_text("from cli.one import ANSWER\n\ndef test_it():\n    assert ANSWER == 1\n")
    calm = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env = {**calm, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "PYTHONUNBUFFERED": "1"}
    said, command = tmp_path / "said.txt", [sys.executable, "-m", "scripts.watch", str(tmp_path)]
    with said.open("w") as out, subprocess.Popen(command, cwd=ROOT, env=env, stdout=out) as watcher:
        try:
            for attempt in range(240):
                if attempt % 8 == 4:  # again: the first save may come before the watch stands
                    (code / "one.py").write_text(f"ANSWER = 2  # {attempt}\n")
                if "1 failed" in said.read_text():
                    break
                time.sleep(0.25)
        finally:
            watcher.terminate()
    assert "one.py: tests/unit/test_one.py" in said.read_text() and "1 failed" in said.read_text()
