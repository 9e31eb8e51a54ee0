"""YAML texts are read once: what they said is asked of a keeper, which never changes what they say."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from functions.kpi import cached
from stockflow import documents
from stockflow.documents import keep_by, read_yaml, yaml_error

ROOT = Path(__file__).parents[3]
TEXTS = [
    "a: [1, 2.5, null, true, 'é']",
    "day: 2026-09-01",
    "days: [{day: 2026-09-01, n: 1}, {$day: 2026-09-01}]",
    "$day: monday",
    "at: [2026-09-01 08:30:00, 2026-09-01T08:30:00.25+02:00]",
    "1: a number for a key",
    "",
    "share: .nan",
    "- a\n- {b: ''}",
]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Path]:
    cached.keep_in(tmp_path / "cache")
    keep_by(cached.kept)
    yield tmp_path / "cache"
    keep_by(None)
    cached.keep_in(None)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.usefixtures("kept")
def test_a_text_says_the_same_when_it_is_read_again(text: str) -> None:
    """Dates, times and keys that are numbers, too, which JSON does not hold."""
    assert [repr(read_yaml(text)) for _ in range(3)] == [repr(yaml.safe_load(text))] * 3


def test_what_is_known_is_not_read_again(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read_yaml(TEXTS[0])
    assert len(list(kept.iterdir())) == 1
    monkeypatch.setattr(documents, "_read", lambda _: pytest.fail("read a second time"))
    again = read_yaml(TEXTS[0])
    assert again == first and again is not first


@pytest.mark.usefixtures("kept")
def test_an_error_is_said_each_time() -> None:
    for _ in range(2):
        with pytest.raises(yaml_error(), match="expected"):
            read_yaml("a: [1")


def test_contracts_are_loaded_without_a_parser_the_second_time(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from functions.kpi import cached
from stockflow import documents, schema
from stockflow.contracts import load_contracts
cached.keep_in(Path({str(tmp_path / "cache")!r}))
documents.keep_by(cached.kept)
print(len(load_contracts(Path("contracts"))), len(schema.pipeline()), "yaml" in sys.modules)
"""
    first, again = (
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )
    assert first.split()[:2] == again.split()[:2]
    assert (first.split()[2], again.split()[2]) == ("True", "False")
