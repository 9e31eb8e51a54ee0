"""Deployables: the same content is the same zip; each function ships what it needs and no more."""

import io
import zipfile
from pathlib import Path

import pytest

from cli.packaging import FUNCTIONS, archive, build, content_version, contents, release, requirements

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_building_twice_gives_the_same_bytes(function: str, tmp_path: Path) -> None:
    """Same commit, same name, same hash: a deployment that changes nothing redeploys nothing."""
    first, again = build(ROOT, tmp_path / "a", function), build(ROOT, tmp_path / "b", function)
    assert first.path.name == again.path.name
    assert first.path.read_bytes() == again.path.read_bytes()


def test_a_changed_file_is_another_version() -> None:
    """The version follows names and bytes."""
    files = {"a.py": b"1", "b.py": b"2"}
    assert content_version(files) != content_version({**files, "b.py": b"3"})
    assert content_version(files) != content_version({"a.py": b"1", "c.py": b"2"})


def test_the_archive_does_not_depend_on_order_or_time() -> None:
    """Sorted names, fixed times and modes."""
    files = {"b.py": b"2", "a.py": b"1"}
    data = archive(files)
    assert data == archive(dict(sorted(files.items())))
    entries = zipfile.ZipFile(io.BytesIO(data)).infolist()
    assert [e.filename for e in entries] == ["a.py", "b.py"]
    assert {e.date_time for e in entries} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_zip_holds_one_function_and_no_tests(function: str) -> None:
    """No other function's folder, no cache, no test."""
    names = contents(ROOT, function)
    others = [n for n in names if n.startswith("functions/") and n != "functions/__init__.py"]
    assert others
    assert all(n.startswith(f"functions/{function}/") for n in others)
    assert not [n for n in names if "__pycache__" in n or n.startswith("tests/")]
    assert {"main.py", "requirements.txt", "pipeline.yaml", "stockflow/settings.py"} <= names.keys()
    assert [name for name in names if name.endswith("requirements.txt")] == ["requirements.txt"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_locked_requirements_are_those_of_the_project(function: str) -> None:
    """``stockflow package --lock`` was run after the last change of the lock."""
    assert (ROOT / f"functions/{function}/requirements.txt").read_text() == requirements(ROOT, function)


def test_only_validate_carries_great_expectations() -> None:
    """It is by far the heaviest import."""
    carriers = {
        fn for fn in FUNCTIONS if "great-expectations==" in (ROOT / f"functions/{fn}/requirements.txt").read_text()
    }
    assert carriers == {"validate"}


def test_a_release_names_each_zip(tmp_path: Path) -> None:
    """The Terraform variable has the shape that terraform/variables.tf asks for."""
    built = build(ROOT, tmp_path, "transform")
    assert release([built]) == {
        "release": {
            "transform": {
                "object": f"functions/transform-{built.version}.zip",
                "version": built.version,
            }
        }
    }
