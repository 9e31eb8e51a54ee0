"""make release: what it refuses, what it writes, and that a failure leaves nothing behind."""

import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from scripts.release import COMMANDS, ReleaseError, release, released, with_version

DAY = date(2026, 12, 1)
CHANGELOG = "# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n\n## 0.1.0 - 2026-01-01\n\n- First.\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the files that a release writes."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "stockflow"\nversion = "0.1.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "uv.lock").write_text("lock 0.1.0\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "user.email", "a@example.com")
    git(tmp_path, "config", "user.name", "A")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "First")
    return tmp_path


def git(folder: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def nothing(_command: Sequence[str]) -> None:
    """Stands for checks and builds that succeed."""


@pytest.mark.parametrize("version", ["1.2", "v1.2.3", "1.2.03", "", "0.1.0", "0.0.9"])
def test_a_version_that_is_malformed_or_not_newer_is_refused(version: str) -> None:
    """The message says what was expected."""
    with pytest.raises(ReleaseError, match="expected"):
        with_version('version = "0.1.0"', version)


def test_what_was_unreleased_gets_the_version_and_the_day() -> None:
    """The section stays open for what comes next."""
    text = released(CHANGELOG, "0.2.0", DAY)
    assert "## Unreleased\n\n## 0.2.0 - 2026-12-01\n\n### Added\n\n- A thing.\n" in text


def test_without_a_line_in_the_changelog_there_is_no_release() -> None:
    """A release that says nothing of itself helps nobody."""
    with pytest.raises(ReleaseError, match="Unreleased"):
        released("## Unreleased\n\n## 0.1.0 - 2026-01-01\n\n- First.\n", "0.2.0", DAY)


def test_a_release_is_a_commit_and_a_tag(repository: Path) -> None:
    """Given a clean tree and checks that succeed, then the tagged commit holds version and changelog."""
    commands: list[Sequence[str]] = []
    release(repository, "0.2.0", DAY, commands.append)
    assert tuple(commands) == COMMANDS
    assert git(repository, "describe") == "v0.2.0"
    assert 'version = "0.2.0"' in git(repository, "show", "v0.2.0:pyproject.toml")
    assert git(repository, "status", "--porcelain") == ""


def test_uncommitted_changes_are_refused(repository: Path) -> None:
    """What is released is what is committed."""
    (repository / "new.txt").write_text("x")
    with pytest.raises(ReleaseError, match=r"new\.txt"):
        release(repository, "0.2.0", DAY, nothing)


def test_a_check_that_fails_leaves_nothing_behind(repository: Path) -> None:
    """No commit, no tag, no changed file."""

    def fail(command: Sequence[str]) -> None:
        raise subprocess.CalledProcessError(1, list(command))

    with pytest.raises(subprocess.CalledProcessError):
        release(repository, "0.2.0", DAY, fail)
    assert git(repository, "status", "--porcelain") == "" and git(repository, "tag") == ""
    assert (repository / "CHANGELOG.md").read_text() == CHANGELOG
