"""The wheel that Airflow's environment gets: the DAGs' tasks and the part of this code that they run."""

import base64
import hashlib
from pathlib import Path

from cli.packaging import Deployable, archive, content_version

NAME = "stockflow_composer"
# What the tasks read, below `stockflow_composer/bundle/`. The functions come whole: their hash is their version.
_FOLDERS = {
    "shared/stockflow": "stockflow", "functions": "functions", "contracts": "contracts",
    "warehouse/routines": "warehouse/routines", "warehouse/views": "warehouse/views",
    "warehouse/templates": "warehouse/templates",
    **{f"cli/{name}": f"cli/{name}" for name in ("audit", "backfill", "replay")},
}  # fmt: skip
_FILES = (
    "pipeline.yaml", "cli/__init__.py", "cli/nearest.py", "cli/output.py", "cli/reconciliation.py", "cli/stale.py",
    "cli/subscriptions.py", "cli/upkeep.py",
)  # fmt: skip
_LEFT_OUT = {"__pycache__", "requirements.in", "requirements.txt"}
REQUIRES = (
    "google-cloud-bigquery>=3.47", "google-cloud-logging>=3.11", "google-cloud-pubsub>=2.29",
    "google-cloud-storage>=3.1", "pyarrow", "pyyaml>=6", "rich>=13", "sqlglot>=30.30,<31",
)  # fmt: skip
_TAG = "py3-none-any"


def contents(root: Path) -> dict[str, bytes]:
    """Return archive name -> bytes of the modules and of what they read."""
    found = {f"{NAME}/{p.name}": p.read_bytes() for p in sorted((root / "composer" / NAME).glob("*.py"))}
    bundle = f"{NAME}/bundle"
    for source, target in _FOLDERS.items():
        for path in sorted((root / source).rglob("*")):
            if path.is_file() and not _LEFT_OUT & set(path.parts):
                found[f"{bundle}/{target}/{path.relative_to(root / source).as_posix()}"] = path.read_bytes()
    return found | {f"{bundle}/{name}": (root / name).read_bytes() for name in _FILES}


def version(files: dict[str, bytes]) -> str:
    """Return a version by content, as PEP 440 allows: the same commit gives the same, another content another."""
    return f"0.{int(content_version(files)[:12], 16)}"


def build(root: Path, out: Path) -> Path:
    """Write the wheel into ``out`` and return it; the same commit gives the same bytes."""
    files = contents(root)
    number = version(files)
    info = f"{NAME}-{number}.dist-info"
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: stockflow\nRoot-Is-Purelib: true\nTag: {_TAG}\n".encode()
    files[f"{info}/METADATA"] = _metadata(number).encode()
    record = [f"{name},sha256={_hash(data)},{len(data)}" for name, data in sorted(files.items())]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,\n"]).encode()
    path = out / f"{NAME}-{number}-{_TAG}.whl"
    out.mkdir(parents=True, exist_ok=True)
    path.write_bytes(archive(files))
    return path


def deployable(path: Path) -> Deployable:
    """Return a wheel as the release names it, under ``composer``."""
    return Deployable("composer", path.name.split("-")[1], path, path.stat().st_size)


def _metadata(number: str) -> str:
    needs = "".join(f"Requires-Dist: {name}\n" for name in REQUIRES)
    head = "Metadata-Version: 2.1\nName: stockflow-composer\n"
    return f"{head}Version: {number}\nSummary: Stockflow's tasks in Airflow.\nRequires-Python: >=3.11\n{needs}"


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
