"""A release (``make release VERSION=1.2.3``): check, write version and changelog, build the packages, commit, tag.

Nothing is pushed. What fails leaves the working tree as it was; the changelog's section "Unreleased" becomes the
version's.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ("pyproject.toml", "CHANGELOG.md", "uv.lock")
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_UNRELEASED = "## Unreleased\n"
Run = Callable[[Sequence[str]], None]


class ReleaseError(Exception):
    """Why there is no release, and what to do."""


def parts(version: str) -> tuple[int, ...]:
    """Return a version's numbers.

    Raises:
        ReleaseError: when it is not of the form 1.2.3.
    """
    if not _VERSION.fullmatch(version):
        raise ReleaseError(f"VERSION={version!r}: expected three numbers such as 1.2.3 (https://semver.org)")
    return tuple(int(n) for n in version.split("."))


def with_version(project: str, version: str) -> str:
    """Return pyproject.toml with another version.

    Raises:
        ReleaseError: when the version is not newer than the present one.
    """
    found = re.search(r'^version = "([^"]+)"$', project, re.MULTILINE)
    assert found, "pyproject.toml has a version"
    if parts(version) <= parts(found[1]):
        raise ReleaseError(f"VERSION={version}: expected a version after {found[1]}")
    return project.replace(found[0], f'version = "{version}"', 1)


def released(changelog: str, version: str, day: date) -> str:
    """Return the changelog with what was unreleased under the version.

    Raises:
        ReleaseError: when nothing is unreleased.
    """
    _, heading, rest = changelog.partition(_UNRELEASED)
    text = re.split(r"^## ", rest, flags=re.MULTILINE)[0]
    if not heading or not re.search(r"^- ", text, re.MULTILINE):
        raise ReleaseError(
            "CHANGELOG.md: nothing stands under '## Unreleased': say what changed since the last release"
        )
    return changelog.replace(_UNRELEASED, f"{_UNRELEASED}\n## {version} - {day.isoformat()}\n", 1)


def check_tree(root: Path, version: str) -> None:
    """Check that what is released is what is committed.

    Raises:
        ReleaseError: when files differ from the commit, or the version is tagged already.
    """
    if changed := _git(root, "status", "--porcelain"):
        raise ReleaseError(f"commit or stash first:\n{changed}")
    if _git(root, "tag", "--list", f"v{version}"):
        raise ReleaseError(f"tag v{version} exists: choose the next version")


def release(root: Path, version: str, day: date, run: Run) -> None:
    """Make the release; ``run`` executes the commands that check and build.

    Raises:
        ReleaseError: what is missing.
        subprocess.CalledProcessError: the command that failed.
    """
    texts = {
        "pyproject.toml": with_version((root / "pyproject.toml").read_text(encoding="utf-8"), version),
        "CHANGELOG.md": released((root / "CHANGELOG.md").read_text(encoding="utf-8"), version, day),
    }
    check_tree(root, version)
    try:
        for name, text in texts.items():
            (root / name).write_text(text, encoding="utf-8")
        for command in COMMANDS:
            run(command)
    except BaseException:
        _git(root, "checkout", "--", *WRITTEN)
        raise
    _git(root, "commit", "--quiet", "--message", f"Release {version}", "--", *WRITTEN)
    _git(root, "tag", "--annotate", f"v{version}", "--message", f"Stockflow {version}")


# The version goes into the lock, then everything is checked as CI does, then built.
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("uv", "lock", "--quiet"),
    ("make", "lint", "test-unit", "test-slow", "test-tools"),
    ("stockflow", "package", "--out", "dist/functions", "--release", "dist/release.auto.tfvars.json"),
    ("uv", "build", "--quiet", "--out-dir", "dist"),
)


def _git(root: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"git {' '.join(args)}: {done.stderr.strip()}")
    return done.stdout.strip()


def _run(command: Sequence[str]) -> None:
    """Run a command of the environment in the repository, its output shown."""
    program = Path(sys.executable).parent / command[0]
    print("$", *command, flush=True)
    subprocess.run([str(program) if program.exists() else command[0], *command[1:]], cwd=ROOT, check=True)


def main() -> None:
    """Make the release that the argument names."""
    try:
        release(ROOT, sys.argv[1] if len(sys.argv) > 1 else "", datetime.now(UTC).date(), _run)
    except (ReleaseError, subprocess.CalledProcessError) as error:
        sys.exit(f"release: {error}")
    print("tagged; the packages are in dist/. Publish it: git push --follow-tags")


if __name__ == "__main__":
    main()
