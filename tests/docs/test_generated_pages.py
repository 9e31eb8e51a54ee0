"""The pages that are made from code say what the code says today."""

import re
import subprocess
from pathlib import Path

import pytest

from scripts.docs import generated

ROOT = Path(__file__).parents[2]
PAGES = generated()


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_up_to_date(name: str) -> None:
    """Otherwise run ``make docs``."""
    assert (ROOT / name).read_text(encoding="utf-8") == PAGES[name], "run `make docs`"


def test_every_variable_of_the_project_is_on_the_page() -> None:
    """A variable that code or Terraform reads is described in docs/configuration.md."""
    listed = subprocess.run(
        ["git", "ls-files", "shared", "functions", "cli", "local", "terraform/*.tf", "Makefile"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in listed.stdout.split() if (ROOT / name).exists()]
    used = {found for text in texts for found in re.findall(r"\bSTOCKFLOW_[A-Z_]+[A-Z]\b", text)}
    assert {name for name in used if f"`{name}`" not in PAGES["docs/configuration.md"]} == set()
