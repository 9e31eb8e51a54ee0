"""Runs the real terraform binary on a copy of the root, against a provider that only serves the schema."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROVIDER = Path(__file__).parent / "provider"
READ = ("terraform", "contracts", "warehouse", "composer", "dataflow")
QUICK = {"TF_VAR_settle_seconds": "{grants=0,metrics=0}"}  # the stub is everywhere at once
RELEASE = {fn: {"object": f"functions/{fn}-0.zip", "version": "0"} for fn in ("ingest", "validate", "transform", "kpi")}


def make_provider(folder: Path) -> Path:
    """Install the schema-serving provider below ``folder`` and return Terraform's CLI configuration.

    It needs protobuf 5 where the rest of the project has 7, so it gets an environment of its own.
    """
    python = folder / "venv/bin/python"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, folder / "venv"], check=True)
    subprocess.run([*uv, "pip", "install", "-q", "--python", python, "tf==1.2.0"], check=True)
    shutil.copytree(PROVIDER, folder / "provider", ignore=shutil.ignore_patterns("__pycache__"))
    schemas = sorted((folder / "provider/schemas").glob("*.json.gz"))
    for schema in schemas:
        _keep_used(schema)
    install = [python, folder / "provider/install.py", folder / "out", *schemas]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
    return folder / "out/terraformrc"


def _keep_used(schema: Path) -> None:
    """Drop the types that no file of the root names: terraform reads the schema at each start, all 50 MB of it."""
    used = {name for f in (ROOT / "terraform").rglob("*.*") for name in re.findall(r'"(google_\w+)"', _text(f))}
    document = json.loads(gzip.decompress(schema.read_bytes()))
    for provider in document["provider_schemas"].values():
        for kind in ("resource_schemas", "data_source_schemas"):
            provider[kind] = {name: block for name, block in provider.get(kind, {}).items() if name in used}
    schema.write_bytes(gzip.compress(json.dumps(document).encode(), 1))


def _text(path: Path) -> str:
    return path.read_text() if path.suffix in {".tf", ".hcl"} else ""


@dataclass(frozen=True)
class Root:
    """A copy of the project's Terraform root, with local state, ready to plan."""

    folder: Path
    config: Path

    @property
    def terraform(self) -> Path:
        """The root module."""
        return self.folder / "terraform"

    def run(self, *args: str, ok: bool = True) -> str:
        """Run terraform there; return what it printed (both streams).

        Raises:
            AssertionError: with what it printed, when it fails although ``ok``.
        """
        env = {**os.environ, **QUICK, "TF_CLI_CONFIG_FILE": str(self.config), "TF_IN_AUTOMATION": "1", "NO_COLOR": "1"}
        done = subprocess.run(
            ["terraform", *args], cwd=self.terraform, env=env, text=True, capture_output=True, check=False
        )
        assert not ok or done.returncode == 0, f"terraform {' '.join(args)}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def plan(self, *args: str, out: str = "other.bin") -> dict[str, Any]:
        """Return the plan, which stands in ``out`` too, as JSON."""
        self.run("plan", "-input=false", "-refresh=false", f"-out={out}", *args)
        shown: dict[str, Any] = json.loads(self.run("show", "-json", out))
        return shown


def copy_root(folder: Path, config: Path, edits: Sequence[tuple[str, str, str]] = ()) -> Root:
    """Copy what the root reads, apply ``edits`` (file, old, new) and initialise with local state."""
    for name in READ:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".terraform*"))
    shutil.copy(ROOT / "pipeline.yaml", folder / "pipeline.yaml")
    local_state(folder / "terraform")
    (folder / "terraform/release.auto.tfvars.json").write_text(json.dumps({"release": RELEASE}))
    for name, old, new in edits:
        path = folder / name
        text = path.read_text()
        assert old in text, f"{name} no longer holds {old!r}: the planted mistake needs a new place"
        path.write_text(text.replace(old, new, 1))
    root = Root(folder, config)
    root.run("init", "-input=false")
    return root


def copy_of(root: Root, folder: Path) -> Root:
    """Return a copy of an initialised root in ``folder``, with its state."""
    shutil.copytree(root.folder, folder, symlinks=True, dirs_exist_ok=True)
    return Root(folder, root.config)


def local_state(terraform: Path) -> None:
    """Have a copy of the root keep its state beside it."""
    versions = terraform / "versions.tf"
    versions.write_text(versions.read_text().replace('backend "gcs" {\n    prefix = "stockflow"', 'backend "local" {'))


def resources(plan: dict[str, Any], kind: str | None = None) -> dict[str, dict[str, Any]]:
    """Return address -> planned values of the managed resources (of one type)."""
    found = plan["planned_values"]["root_module"]["resources"]
    return {r["address"]: r["values"] for r in found if r["mode"] == "managed" and kind in (None, r["type"])}


def expressions(plan: dict[str, Any], address: str) -> dict[str, Any]:
    """Return the expressions of a resource (``type.name``) as they stand in the configuration."""
    for resource in plan["configuration"]["root_module"]["resources"]:
        if resource["address"] == address:
            found: dict[str, Any] = resource.get("expressions", {})
            return found
    raise KeyError(address)
