"""A plan whose retention contradicts itself is refused, with the words of `stockflow retention`."""

import re
from pathlib import Path

import pytest

from cli.retention.needs import contradictions_of
from tests.support.retention import REFUSED, plant
from tests.terraform.support import Root, copy_root


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, provider: Path) -> Root:
    root = copy_root(tmp_path_factory.mktemp("contradictions"), provider)
    plant(root.folder)
    return root


def said(root: Root) -> set[str]:
    """Return what a plan refuses, one line each."""
    words = ("plan", "-no-color", "-input=false", "-refresh=false", "-var-file=environments/prod.tfvars")
    printed = root.run(*words, ok=False)
    assert "Error: Module output value precondition failed" in printed, printed
    lines = printed.partition("Retention contradicts itself:")[2].splitlines()
    return {line.strip("│ ") for line in lines if re.match(r"[│ ]*(pipeline.yaml|contracts/)", line)}


def test_what_contradicts_itself_is_not_planned(planted: Root) -> None:
    assert said(planted) == REFUSED == set(contradictions_of(planted.folder))
