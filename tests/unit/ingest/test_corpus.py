"""Each folder of ``tests/corpus`` is a file as people send it, and what must become of it, line by line."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from stockflow.errors import PermanentError
from tests.unit.ingest.reading import read

CORPUS = Path(__file__).parents[2] / "corpus"
CASES = sorted(p.parent for p in CORPUS.glob("*/expected.yaml"))


def _expected(case: Path) -> tuple[dict[str, Any], bytes, str]:
    expected = yaml.safe_load((case / "expected.yaml").read_text(encoding="utf-8"))
    name = expected.get("object", f"{expected['feed']}/{expected['file']}")
    return expected, (case / expected["file"]).read_bytes(), name


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_a_file_of_the_corpus_is_read_as_it_says(case: Path) -> None:
    expected, data, name = _expected(case)
    if code := expected.get("refused"):
        with pytest.raises(PermanentError) as refused:
            read(data, expected["feed"], name, declared=expected.get("declared"))
        assert refused.value.code == code
        assert [words for words in expected["says"] if words not in refused.value.message] == []
        return
    found = read(data, expected["feed"], name, declared=expected.get("declared"))
    assert [{k: r.get(k) for k in e} for e, r in zip(expected["rows"], found.rows, strict=True)] == expected["rows"]
    assert [_shown(r, e) for e, r in zip(expected["rejects"], found.rejects, strict=True)] == expected["rejects"]
    facts = expected.get("facts", {})
    assert {k: found.facts.get(k) for k in facts} == facts
    found.check_books()


def _shown(reject: Any, expected: dict[str, Any]) -> dict[str, Any]:
    names = {"text": "original_text"}
    return {k: getattr(reject, names.get(k, k)) for k in expected}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_every_case_tells_its_story_and_has_one_input(case: Path) -> None:
    expected, _, _ = _expected(case)
    assert expected["story"]
    assert {p.name for p in case.iterdir()} == {"expected.yaml", expected["file"]}
