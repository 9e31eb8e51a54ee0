"""Words that are not used in this project: ``python -m scripts.vocabulary`` (part of ``make lint``) finds them.

The words and what to write instead stand in scripts/vocabulary.yaml. Looked at is what git knows or would take: code,
SQL, configuration and pages; not tests, samples and the French README.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
SUFFIXES = {".py", ".sql", ".md", ".yaml", ".tf", ".tftpl", ".sh", ".j2"}
LEFT_OUT = ("tests/", "samples/", "README.fr.md", "scripts/vocabulary.", "scripts/sample_shop/")
ALLOWED = "vocabulary: allow"


@dataclass(frozen=True)
class Word:
    """A word that is not used, and what to write instead."""

    find: re.Pattern[str]
    instead: str


def words(text: str) -> list[Word]:
    """Return the words of vocabulary.yaml."""
    return [Word(re.compile(rf"\b(?:{w['find']})\b", re.IGNORECASE), w["instead"]) for w in yaml.safe_load(text)]


def faults(name: str, text: str, known: Iterable[Word]) -> Iterator[str]:
    """Yield ``file:line: word: write ...`` for each word of a text that is not used."""
    known = list(known)
    for number, line in enumerate(text.splitlines(), 1):
        if ALLOWED in line:
            continue
        for word in known:
            for found in word.find.finditer(line):
                yield f"{name}:{number}: {found[0]!r}: write {word.instead}"


def files(root: Path) -> list[str]:
    """Return the names of the files that are looked at."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=root, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    names = [n for n in listed.stdout.splitlines() if Path(n).suffix in SUFFIXES or n == "Makefile"]
    return [n for n in names if not n.startswith(LEFT_OUT) and (root / n).exists()]


def main() -> None:
    """Print what is found, and fail when there is something."""
    known = words((ROOT / "scripts/vocabulary.yaml").read_text(encoding="utf-8"))
    found = [f for name in files(ROOT) for f in faults(name, (ROOT / name).read_text(encoding="utf-8"), known)]
    print("\n".join(found) if found else "Vocabulary: nothing to change")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
