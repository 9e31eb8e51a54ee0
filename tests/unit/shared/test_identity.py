"""Identities: the same thing has the same name, different things do not."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from stockflow.identity import code_version, digest, load_id, new_run_id


@given(st.lists(st.text(), min_size=1, max_size=4), st.lists(st.text(), min_size=1, max_size=4))
def test_a_digest_keeps_its_parts_apart(left: list[str], right: list[str]) -> None:
    """Two lists of parts have one digest only when they are equal."""
    assert (digest(*left) == digest(*right)) == (left == right)


def test_a_load_is_one_generation_of_one_object() -> None:
    """Bucket, name and generation each make another load."""
    loads = {load_id("b", "sales/x.csv", 1), load_id("b", "sales/x.csv", 2), load_id("c", "sales/x.csv", 1)}
    assert len(loads) == 3
    assert load_id("b", "sales/x.csv", 1) in loads


def test_each_attempt_is_a_run_of_its_own() -> None:
    """What two attempts at one load write is told apart."""
    assert len({new_run_id() for _ in range(100)}) == 100


def test_the_code_version_follows_the_code(tmp_path: Path) -> None:
    """Changed SQL or Python is another version; a changed README is not."""

    def folder(name: str, sql: str, readme: str) -> Path:
        path = tmp_path / name
        path.mkdir()
        (path / "m.sql").write_text(sql)
        (path / "README.md").write_text(readme)
        return path

    same = code_version(folder("a", "SELECT 1", "x"))
    assert code_version(folder("b", "SELECT 1", "y")) == same
    assert code_version(folder("c", "SELECT 2", "x")) != same
