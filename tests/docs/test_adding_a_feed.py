"""A new feed is one contract and one model: those of docs/adding-a-feed.md, added to a copy of the tree."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/adding-a-feed.md").read_text(encoding="utf-8")
COPIED = (
    "contracts",
    "functions",
    "shared",
    "cli",
    "local",
    "warehouse",
    "tests/unit/contracts",
    "tests/unit/transform",
)
# What knows the feeds: routing, headers, rules, tables, views, the script of a drain, versions.
ASKED = """
import json
from functions.ingest.route import route
from functions.transform.merge import drain_script
from functions.validate.suite import row_checks
from cli.stale import current_versions
from stockflow.schema import schemas
from stockflow.contracts import load_contracts
from stockflow.services import Services
from stockflow.settings import Settings, bundle_root
contracts = load_contracts(bundle_root() / "contracts")
services = Services(Settings(project="p", contracts_dir=bundle_root() / "contracts"))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with the contract and the model of the page, and nothing else changed."""
    folder = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pipeline.yaml", "pyproject.toml"):
        shutil.copyfile(ROOT / name, folder / name)
    for name, text in written().items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def written() -> dict[str, str]:
    """Return path -> text of the files that the page shows whole: their first line names them."""
    return dict(re.findall(r"^```\w+\n(?:#|--) (\S+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


def run(tree: Path, *args: str, **env: str) -> str:
    """Run Python in the copy: its modules, not those of the checkout."""
    paths = {"PYTHONPATH": f"{tree / 'shared'}:{tree}"}
    done = subprocess.run(
        [sys.executable, *args], cwd=tree, env={**os.environ, **paths, **env}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_shows_one_contract_and_one_model() -> None:
    """Nothing else is written for a feed."""
    assert set(written()) == {"contracts/price_changes.yaml", "functions/transform/models/price_changes.sql"}


def test_the_tests_of_contracts_and_models_hold_for_it(tree: Path) -> None:
    """They find the new feed by themselves; only the expected SQL of its drain is written, as ``make goldens`` does."""
    said = run(tree, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-k", "price_changes or ten_feeds",
               "tests/unit/contracts", "tests/unit/transform", UPDATE_GOLDEN="1")  # fmt: skip
    assert int(re.findall(r"(\d+) passed", said)[0]) > 12


def test_everything_derived_from_contracts_takes_it(tree: Path) -> None:
    """Routing, rules, tables, the drain's script and the versions of three stages."""
    code = (
        ASKED
        + """
print(json.dumps({
    "feed": route("price_changes/a.csv", contracts).feed,
    "rules": sorted(c.rule for c in row_checks(contracts["price_changes"])),
    "tables": sorted(t for t in schemas(services.contracts) if "price_changes" in t),
    "script": "inventory_curated.price_changes" in drain_script(contracts["price_changes"]),
    "versions": sorted(stage for stage, feed in current_versions(services).feeds if feed == "price_changes"),
}))
"""
    )
    found = json.loads(run(tree, "-c", code))
    assert found["feed"] == "price_changes" and found["script"]
    assert {"new_price_positive"} <= set(found["rules"])
    assert found["tables"] == ["inventory_curated.price_changes", "inventory_curated.price_changes_history",
                               "inventory_raw.price_changes"]  # fmt: skip
    assert found["versions"] == ["ingest", "transform", "validate"]


def test_terraform_reads_the_folder_not_a_list() -> None:
    """No file of Terraform or of the embedded stack names the contracts one by one."""
    assert 'fileset("${path.module}/../contracts"' in "".join(
        p.read_text(encoding="utf-8") for p in sorted((ROOT / "terraform").glob("*.tf"))
    )
