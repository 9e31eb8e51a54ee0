"""docs/promises.md names tests that exist, and a promise without a test says so."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/promises.md").read_text()
NAMED = re.findall(r"`(tests/\S+\.py)::(\w+)`", PAGE)
PROMISES = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[n for _, n in NAMED])
def test_the_named_test_exists(path: str, name: str) -> None:
    """Renaming or deleting a proof breaks the page."""
    assert (ROOT / path).exists(), path
    defined = rf"^ *(async def|def|class) {name}\b|^{name} *="
    assert re.search(defined, (ROOT / path).read_text(), re.MULTILINE)


def test_no_proof_is_named_twice_under_one_promise() -> None:
    for promise in PROMISES:
        named = re.findall(r"`(tests/\S+::\w+)`", promise)
        assert len(named) == len(set(named)), promise.splitlines()[0]


@pytest.mark.parametrize("promise", PROMISES, ids=[p.splitlines()[0] for p in PROMISES])
def test_each_promise_has_a_proof_or_says_that_it_has_none(promise: str) -> None:
    assert "`tests/" in promise or "Not proved yet" in promise
