"""The vocabulary check names file, line, word and what to write instead."""

from pathlib import Path

import pytest

from scripts.vocabulary import faults, words

WORDS = words((Path(__file__).parents[3] / "scripts/vocabulary.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("what mends it", "mends"),
        ("3 woken", "woken"),
        ("'x' is no valid date", "is no valid"),
        ("So many units lie in stores.", "So many units"),
        ("40 of 40 files came to their end", "came to their end"),
    ],
)
def test_a_word_is_found_with_its_place(line: str, found: str) -> None:
    """Also in capitals, also in the middle of a line."""
    (fault,) = faults("docs/a.md", f"first\n{line}\n", WORDS)
    assert fault.startswith(f"docs/a.md:2: {found!r}: write ")


@pytest.mark.parametrize("line", ["amended", "'mend'  # vocabulary: allow", "so many rows"])
def test_other_words_are_left_alone(line: str) -> None:
    """Parts of words, other meanings, and lines that say that they are meant."""
    assert [*faults("a.py", line, WORDS)] == []
