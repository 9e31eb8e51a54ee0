"""docs/senders.md: its profile is valid, and its commands do what it says."""

import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

from stockflow.senders import Sender, load_sender

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "senders.md").read_text()
NAME = "nordstore"


def profiles(folder: Path) -> list[Sender]:
    """Return the profiles that the page shows."""
    path, found = folder / "acme.yaml", []
    for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL):
        path.write_text(text)
        found.append(load_sender(path))
    return found


def test_the_profiles_that_it_shows_are_valid(tmp_path: Path) -> None:
    acme, changed = profiles(tmp_path)
    assert [rule.start for rule in changed.calendars["sales"].rules] == [None, date(2026, 10, 1)]
    assert acme.owns("sales/acme_1.csv") and acme.declared("sales")["headers"] == {
        "Artikelnr.": "sku",
        "Menge": "quantity",
    }


def test_its_commands_run(tmp_path: Path) -> None:
    """In a copy of the contracts: `--folder` stands for the checkout's own."""
    contracts = tmp_path / "contracts"
    shutil.copytree(ROOT / "contracts", contracts)
    commands = re.findall(r"^    stockflow (.+)$", PAGE, re.MULTILINE)
    assert [c.split()[0] for c in commands] == ["try", "sender", "sender", "try"]
    for command in commands[:3]:
        words = command.split() + (["--folder", str(contracts)] if command.startswith("sender") else [])
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    written = load_sender(contracts / "senders" / f"{NAME}.yaml")
    assert written.owns(f"sales/{NAME}/ventes.csv") and written.conventions["decimalMark"] == ","
