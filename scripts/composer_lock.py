"""Writes composer/requirements.in and the locks of both versions of Airflow: `python -m scripts.composer_lock`."""

import subprocess
import sys
import tempfile
from pathlib import Path

from cli.wheel import REQUIRES

FOLDER = Path(__file__).parents[1] / "composer"
AIRFLOWS = {"airflow2": ("2.11.2", "3.11"), "airflow3": ("3.3.2", "3.13")}
HEAD = "# What Airflow's environment holds besides Airflow: REQUIRES of cli/wheel.py (a test compares them).\n"
COMPILE = (
    sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--upgrade", "--generate-hashes", "--no-header",
    "--no-annotate", "--no-emit-index-url", "--no-emit-find-links",
)  # fmt: skip


def main() -> None:
    """Resolve for each version; packages come from the index that uv is configured with, and are named by hash."""
    (FOLDER / "requirements.in").write_text(HEAD + "\n".join(REQUIRES) + "\n")
    for name, (airflow, python) in AIRFLOWS.items():
        with tempfile.NamedTemporaryFile("w", suffix=".in") as wanted:
            wanted.write("\n".join([f"apache-airflow=={airflow}", *REQUIRES]) + "\n")
            wanted.flush()
            target = str(FOLDER / f"requirements-{name}.txt")
            command = [*COMPILE, "--python-version", python, "--output-file", target, wanted.name]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
