"""`stockflow up` says what runs where and the first three things to try."""

import re
from pathlib import Path

import pytest

from cli.stack import welcome
from local.state import PARTS, PORTS, Stack
from tests.unit.cli.test_commands import ALL

ROOT = Path(__file__).parents[3]


@pytest.fixture
def stack() -> Stack:
    return Stack(Path("/srv/stock"), ports={name: 20_000 + n for n, name in enumerate(PORTS)})


def test_each_part_is_named_with_its_address(stack: Stack) -> None:
    lines = welcome(stack, dashboard=True).splitlines()
    assert {line.split()[0] for line in lines if "http://" in line} == set(PARTS)
    assert all(any(line.split()[:2] == [part, stack.url(part)] for line in lines) for part in PARTS)


def test_without_a_dashboard_none_is_named(stack: Stack) -> None:
    assert "dashboard" not in welcome(stack, dashboard=False)


def test_three_things_to_try_are_commands_that_exist(stack: Stack) -> None:
    tried = re.findall(r"^  stockflow (.*?)  ", welcome(stack, dashboard=True), re.MULTILINE)
    assert len(tried) == 3
    names = {name for name, _ in ALL}
    assert all(any(line.startswith(name) for name in names) for line in tried), tried
    assert tried[0] == "demo", "it knows which of the samples are damaged or of no feed, so it ends well"


def test_nothing_recommends_to_drop_all_samples(stack: Stack) -> None:
    """One is of no feed, three are refused as a whole: `drop` rightly ends with exit code 1."""
    pages = [ROOT / name for name in ("README.md", "README.fr.md", "samples/README.md", "docs/cli.md")]
    shown = [ROOT / "local/dashboard/page.py", *pages]
    assert not [page.name for page in shown if "samples/*/*" in page.read_text()]
    assert "samples/*/*" not in welcome(stack, dashboard=True)
