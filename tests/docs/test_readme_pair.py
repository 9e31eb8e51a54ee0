"""README.md and README.fr.md say the same: same headings, same commands, same links and pictures."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH, FRENCH = (ROOT / n for n in ("README.md", "README.fr.md"))


def outline(path: Path) -> list[str]:
    """The levels of the headings, in order."""
    return re.findall(r"^(#+) ", without_code(path.read_text()), re.MULTILINE)


def blocks(path: Path) -> list[tuple[str, str]]:
    """The code blocks with their language; a comment behind a command is prose."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)
    return [(language, re.sub(r" +# .*", "", text)) for language, text in found]


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def links(path: Path) -> list[str]:
    return re.findall(r"\]\(([^)#]+)", path.read_text())


def test_headings_are_in_step():
    assert outline(ENGLISH) == outline(FRENCH)


def test_commands_are_in_step():
    assert blocks(ENGLISH) == blocks(FRENCH)


def test_links_are_in_step():
    assert links(ENGLISH) == links(FRENCH)


def test_tables_have_the_same_rows():
    assert ENGLISH.read_text().count("\n|") == FRENCH.read_text().count("\n|")


@pytest.mark.parametrize("page", [ENGLISH, FRENCH, *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path):
    """A link to a file of the repository names a file that exists."""
    inside = [t for t in links(page) if not re.match(r"[a-z]+:", t)]
    assert [t for t in inside if not (page.parent / t).exists()] == []
