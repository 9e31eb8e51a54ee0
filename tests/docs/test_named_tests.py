"""A test that a page names as the proof of something exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
NAMED = [(p.name, *found) for p in PAGES for found in re.findall(r"`(tests/\S+\.py)::(\w+)`", p.read_text())]
FILES = [
    (p.name, found) for p in PAGES for found in re.findall(r"`((?:tests|scripts)/[\w./-]+\.(?:py|sh))`", p.read_text())
]


@pytest.mark.parametrize(("page", "path", "name"), NAMED, ids=[f"{p}-{n}" for p, _, n in NAMED])
def test_the_named_test_exists(page: str, path: str, name: str) -> None:
    """Renaming or deleting a proof breaks the page."""
    assert re.search(rf"^ *(?:async )?def {name}\b|^{name} *=|^class {name}\b", (ROOT / path).read_text(), re.MULTILINE)


@pytest.mark.parametrize(("page", "path"), FILES, ids=[f"{p}-{n}" for p, n in FILES])
def test_the_named_file_exists(page: str, path: str) -> None:
    assert (ROOT / path).exists()
