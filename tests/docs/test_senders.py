"""docs/senders.md: its profile is valid, and its commands do what it says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from stockflow.senders import load_sender

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "senders.md").read_text()
NAME = "nordstore"


def test_the_profile_that_it_shows_is_valid(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "acme.yaml"
    path.write_text(text)
    acme = load_sender(path)
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
