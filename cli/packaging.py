"""Deployables: one zip per function, the same bytes for the same commit, named by its content."""

import hashlib
import io
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from stockflow.stages import STAGES

FUNCTIONS = STAGES  # a function for each stage
# what a function reads at run time, besides its own folder, the library, the contracts and the pipeline
EXTRAS = {"kpi": ("warehouse/views", "warehouse/templates"), "transform": ("warehouse/routines",)}
_LEFT_OUT = {"__pycache__", "requirements.in", "requirements.txt"}  # the lock stands once, beside main.py
_TIME = (1980, 1, 1, 0, 0, 0)
_MAIN = '"""The entry point that the runtime looks for."""\n\nfrom functions.{fn}.main import handle as handle\n'


@dataclass(frozen=True)
class Deployable:
    """A function's zip: ``version`` is the hash of its content, ``size`` its bytes."""

    function: str
    version: str
    path: Path
    size: int

    @property
    def object_name(self) -> str:
        """Where CI puts it in the artifacts bucket."""
        return f"functions/{self.path.name}"


def contents(root: Path, function: str) -> dict[str, bytes]:
    """Return archive name -> bytes of what one function ships."""
    files = {
        "main.py": _MAIN.format(fn=function).encode(),
        "requirements.txt": (root / "functions" / function / "requirements.txt").read_bytes(),
        "functions/__init__.py": b"",
        "pipeline.yaml": (root / "pipeline.yaml").read_bytes(),
    }
    folders = {f"functions/{function}": f"functions/{function}", "shared/stockflow": "stockflow"}
    folders |= {"contracts": "contracts"} | {extra: extra for extra in EXTRAS.get(function, ())}
    for source, target in folders.items():
        for path in sorted((root / source).rglob("*")):
            if path.is_file() and not _LEFT_OUT & set(path.parts):
                files[f"{target}/{path.relative_to(root / source).as_posix()}"] = path.read_bytes()
    return files


def content_version(files: dict[str, bytes]) -> str:
    """Return the hash (16 hex digits) of names and bytes, independent of how they are compressed."""
    hasher = hashlib.sha256()
    for name in sorted(files):
        hasher.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return hasher.hexdigest()[:16]


def archive(files: dict[str, bytes]) -> bytes:
    """Return a zip with sorted names, fixed times and fixed modes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as bundle:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            bundle.writestr(entry, files[name], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def build(root: Path, out: Path, function: str) -> Deployable:
    """Write one function's zip into ``out`` and return what it is."""
    files = contents(root, function)
    version = content_version(files)
    data = archive(files)
    path = out / f"{function}-{version}.zip"
    out.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return Deployable(function, version, path, len(data))


def release(deployables: list[Deployable]) -> dict[str, dict[str, dict[str, str]]]:
    """Return the Terraform variable ``release`` that names these zips."""
    return {"release": {d.function: {"object": d.object_name, "version": d.version} for d in deployables}}


def requirements(root: Path, function: str) -> str:
    """Return the hash-locked requirements of one function, as the project's lock has them."""
    command = [
        sys.executable, "-m", "uv", "export", "--quiet", "--frozen", "--no-header", "--no-emit-project",
        "--only-group", function, "--directory", str(root),
    ]  # fmt: skip
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
