"""The configuration is formatted, valid, passes its own tests and plans what people reviewed."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.terraform.support import ROOT, Root, resources

GOLDEN = Path(__file__).parent / "golden/inventory.txt"


def test_the_files_are_formatted(root: Root) -> None:
    """``terraform fmt -check`` finds nothing."""
    assert root.run("fmt", "-check", "-recursive", "-diff") == ""


def test_the_configuration_is_valid(root: Root) -> None:
    """Names, types and references fit the provider's schema."""
    assert "Success" in root.run("validate")


def test_its_own_tests_pass(root: Root) -> None:
    """``terraform test``: what holds after an apply, what the variables refuse."""
    assert re.search(r"Success! \d+ passed, 0 failed", root.run("test", "-no-color"))


def inventory(plan: dict[str, Any]) -> str:
    """Return a plan as lines a reviewer can read: each resource, with what matters most of it."""
    telling = (
        "role", "member", "filter", "schedule", "ack_deadline_seconds", "message_retention_duration",
        "public_access_prevention", "deletion_protection", "bucket", "topic", "dataset_id", "table_id",
    )  # fmt: skip
    lines = []
    for address, values in sorted(resources(plan).items()):
        facts = [f"{k}={values[k]}" for k in telling if isinstance(values.get(k), str | int | bool)]
        lines.append(" ".join([address, *facts]))
    return "\n".join(lines) + "\n"


def test_the_plan_creates_what_was_reviewed(plan: dict[str, Any]) -> None:
    """A change of the inventory shows in review; ``UPDATE_GOLDEN=1 pytest tests/terraform`` accepts it."""
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(inventory(plan))
    assert inventory(plan) == GOLDEN.read_text()


def test_a_plan_destroys_and_replaces_nothing(plan: dict[str, Any]) -> None:
    """From an empty project everything is created, by one apply."""
    assert {tuple(c["change"]["actions"]) for c in plan["resource_changes"] if c["mode"] == "managed"} == {("create",)}


def test_the_scan_finds_only_what_is_explained() -> None:
    """scan.sh runs checkov: each skipped check has a reason in .checkov.yaml; anything else fails."""
    skips = (ROOT / "terraform/.checkov.yaml").read_text()
    for line in skips.splitlines():
        assert not line.strip().startswith("- CKV") or "#" in line, f"no reason given: {line}"
    env = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"} | {
        "BC_SOURCE": "cli",
        "SCAN_VULNERABILITIES": "0",
    }
    command = ["bash", str(ROOT / "scripts/ci/scan.sh")]
    done = subprocess.run(command, cwd="/", env=env, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert yaml.safe_load(skips)["framework"] == ["terraform"]
