"""docs/dependencies.md speaks of every dependency, and of nothing else."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    return {name(item) for group in groups for item in group if isinstance(item, str)}


def name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return found.group().lower()


def described() -> dict[str, list[str]]:
    rows = re.findall(r"^\| (\S+) \|(.+)\|$", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE)
    return {package.lower(): [c.strip() for c in rest.split("|")] for package, rest in rows if package != "package"}


def test_each_dependency_is_described():
    """A dependency without its reason cannot be added unnoticed."""
    assert declared() - set(described()) == set()


def test_nothing_is_described_that_is_not_used():
    """A dependency that went must go from the page too."""
    assert set(described()) - declared() == set()


def test_each_description_is_complete():
    """Why, size, licence and alternatives are all filled in."""
    assert [p for p, cells in described().items() if len(cells) != 4 or not all(cells)] == []
