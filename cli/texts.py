"""What a person reads, in the reader's language: the English text names it, ``texts.fr.yaml`` holds the French one."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from stockflow.documents import read_yaml

LANGUAGES = {"en": "English", "fr": "Français"}
# The language of this run; each session of the dashboard, and each call of a tool, runs in a context of its own.
LANGUAGE: ContextVar[str] = ContextVar("language", default="en")


def said(text: str, **values: Any) -> str:
    """Return a text in the reader's language, with its values filled in; the English one where there is no other."""
    known = french().get(text, text) if LANGUAGE.get() == "fr" else text
    return known.format(**values) if values else known


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak a language until the end of the block."""
    before = LANGUAGE.set(language)
    try:
        yield
    finally:
        LANGUAGE.reset(before)


@cache
def french() -> dict[str, str]:
    """Return English text -> French text."""
    found: dict[str, str] = read_yaml(Path(__file__).with_suffix(".fr.yaml").read_text(encoding="utf-8"))
    return found


def separators(number: str) -> str:
    """Return a number written in English (``1,234.5``) as the reader's language writes it (``1 234,5``)."""
    return number.translate(_IN_FRENCH) if LANGUAGE.get() == "fr" else number


_IN_FRENCH = {ord(","): "\u202f", ord("."): ","}
