"""Writes the locks of the Dataflow pipeline's environment: `python -m scripts.dataflow_lock`.

``requirements.txt`` is for the image. ``requirements-local.txt`` is for the tests: the same versions without the
clients of Google Cloud that Beam takes along and this pipeline does not use.
"""

import subprocess
import tempfile
from pathlib import Path

from scripts.composer_lock import COMPILE

FOLDER = Path(__file__).parents[1] / "dataflow"
PYTHON = "3.13"
EXTRA = "apache-beam[gcp]"


def main() -> None:
    """Resolve both; packages come from the index that uv is configured with, and are named by hash."""
    wanted = (FOLDER / "requirements.in").read_text(encoding="utf-8")
    _compile(wanted, "requirements.txt")
    _compile(wanted.replace(EXTRA, "apache-beam"), "requirements-local.txt", "--constraint", "requirements.txt")


def _compile(wanted: str, lock: str, *options: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".in") as source:
        source.write(wanted)
        source.flush()
        command = [*COMPILE, "--python-version", PYTHON, "--output-file", lock, *options, source.name]
        subprocess.run(command, check=True, cwd=FOLDER)


if __name__ == "__main__":
    main()
