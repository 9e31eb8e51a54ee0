"""Fetches a package's archive from the registry that this machine is configured with, and checks what it is."""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

import yaml

KEPT = Path(".stockflow/suites")
_SIMPLE = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
_SECONDS = 60


def fetched(name: str) -> Path:
    """Return the folder with the files of a suite of ``sources.yaml``; it is fetched once.

    Raises:
        OSError: when the registry cannot be reached, or does not have it.
        ValueError: when the archive is another one than the one that was looked at.
    """
    source = yaml.safe_load((Path(__file__).parent / "sources.yaml").read_text(encoding="utf-8"))[name]
    folder = KEPT / source["sha256"][:16]
    if not folder.is_dir():
        data = _get(_address(name, source["registry"], source["file"]))
        if hashlib.sha256(data).hexdigest() != source["sha256"]:
            raise ValueError(f"{source['file']} is not the archive whose sha256 is in tests/suites/sources.yaml")
        _unpack(data, folder)
    return next(p for p in folder.iterdir() if p.is_dir())


def _unpack(data: bytes, folder: Path) -> None:
    """Unpack an archive; two processes may do so at once."""
    own = folder.with_name(f"{folder.name}.{os.getpid()}")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.extractall(own, filter="data")
    try:
        own.rename(folder)
    except OSError:  # the other one was quicker
        shutil.rmtree(own)


def _address(name: str, registry: str, file: str) -> str:
    if registry == "npm":
        told = {key.lower(): value for key, value in os.environ.items()}.get("npm_config_registry")
        return f"{(told or 'https://registry.npmjs.org').rstrip('/')}/{name}/-/{file}"
    listing = f"{_index().rstrip('/')}/{name}/"
    text = _get(listing).decode()
    if text.lstrip().startswith("{"):
        found = [f["url"] for f in json.loads(text)["files"] if f["filename"] == file]
    else:
        found = [a for a in re.findall(r'href="([^"]+)"', text) if f"/{file}" in a]
    if not found:
        raise FileNotFoundError(f"{listing} does not have {file}")
    return urljoin(listing, found[0])


def _index() -> str:
    """Return the package index that uv or pip is told to use."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if found := os.environ.get(name):
            return found
    if pip := shutil.which("pip3") or shutil.which("pip"):
        told = subprocess.run([pip, "config", "get", "global.index-url"], capture_output=True, text=True, check=False)
        if told.returncode == 0:
            return told.stdout.strip()
    return "https://pypi.org/simple"


def _get(address: str) -> bytes:
    request = urllib.request.Request(address, headers={"Accept": _SIMPLE if address.endswith("/") else "*/*"})
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
        return bytes(answer.read())
