"""Copies of the repository, from which tests run a stack as a person would."""

import shutil
import subprocess
from pathlib import Path

from local.bigquery_translations import FOLDER

ROOT = Path(__file__).parents[2]


def names() -> list[str]:
    """Return the files that git knows or would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [name for name in found if name and (ROOT / name).is_file()]


def copy(wanted: list[str], folder: Path) -> None:
    """Copy these files into a folder, whose emulators know what those of this checkout translated before."""
    for name in wanted:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (folder / ".stockflow").mkdir(exist_ok=True)
    (folder / ".stockflow" / FOLDER.name).symlink_to(FOLDER)
