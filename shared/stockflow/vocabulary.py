"""The names that people and systems give to what the feeds have in common: ``vocabulary.yaml``, by meaning."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stockflow.documents import read_yaml

WEAK = "weak"


@dataclass(frozen=True)
class Meaning:
    """Header names of one meaning, in the order of the file; ``weak`` ones count where no better header is there."""

    names: tuple[str, ...]
    weak: tuple[str, ...]


@cache
def meanings() -> dict[str, Meaning]:
    """Return all meanings by name."""
    text = (Path(__file__).parent / "vocabulary.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, list[Any]]] = read_yaml(text)
    return {name: _meaning(groups) for name, groups in loaded.items()}


def _meaning(groups: dict[str, list[Any]]) -> Meaning:
    named = [str(n) for group, names in groups.items() if group != WEAK for n in names]
    return Meaning(tuple(named), tuple(str(n) for n in groups.get(WEAK, ())))


def shared(names: Iterable[str]) -> list[Meaning]:
    """Return meanings by their names.

    Raises:
        ValueError: when there is no such meaning.
    """
    for name in names:
        if name not in meanings():
            raise ValueError(f"vocabulary: {name!r} is none of {', '.join(sorted(meanings()))}")
    return [meanings()[name] for name in names]
