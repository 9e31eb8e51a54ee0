"""The tour of the README works: each of its ``sh`` blocks runs, in order, on a stack of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import trees

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
SAID = {
    "Five minutes": ["ingest", "products_2026-08-28.csv"],
    "Drop a file of your own": ["my_sales.csv"],
    "See why a row was refused": ["quantity", "deux"],
    "Drop it corrected": ["duplicate_content"],
    "Add a KPI": ["units_per_store"],
}


def blocks() -> list[tuple[str, str]]:
    """Each ``sh`` block under the heading it stands below."""
    found: list[tuple[str, str]] = []
    for section in re.split(r"^#{2,} ", README, flags=re.MULTILINE)[1:]:
        title = section.splitlines()[0]
        found += [(title, body) for body in re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)]
    return found


@pytest.fixture(scope="module")
def before() -> list[str]:
    """The files of the repository when the tour begins."""
    return trees.names()


@pytest.fixture(scope="module")
def clone(before: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the repository with a running stack and the master data in it, as ``make demo`` leaves it."""
    folder = tmp_path_factory.mktemp("clone")
    trees.copy(before, folder)
    (folder / ".venv").symlink_to(sys.prefix)
    run(folder, "stockflow up --no-dashboard")
    try:
        run(folder, "stockflow drop samples/products/* samples/locations/* samples/suppliers/* --wait")
        yield folder
    finally:
        run(folder, "stockflow down")


def run(folder: Path, script: str) -> str:
    """Run a block as a person would; return what it printed."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("STOCKFLOW_", "GOOGLE_", "COLUMNS"))}
    env |= {
        "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
        "COLUMNS": "300",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_every_block_is_expected_to_say_something() -> None:
    assert list(dict(blocks())) == list(SAID)


@pytest.mark.parametrize(("title", "script"), blocks(), ids=[f"{n} {t}" for n, (t, _) in enumerate(blocks())])
def test_the_tour(title: str, script: str, clone: Path) -> None:
    said = run(clone, script)
    expected = [] if script.startswith("rm ") else SAID[title]
    assert [word for word in expected if word not in said] == [], said


def test_the_tour_leaves_nothing_behind(before: list[str], clone: Path) -> None:
    """After its last step the folder holds what it held before (but for what git ignores)."""
    ignored = (".stockflow", ".venv", "build", "__pycache__")
    files = {str(p.relative_to(clone)) for p in clone.rglob("*") if p.is_file() and not set(ignored) & set(p.parts)}
    assert files == set(before)
