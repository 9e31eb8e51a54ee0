"""The Flex Template: its metadata names the pipeline's parameters, and its image has the code that it starts."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from google.cloud import dataflow_v1beta3 as api
from google.protobuf.json_format import ParseDict

from tests.dataflow import beam_env

ROOT = Path(__file__).parents[2]
METADATA = json.loads((ROOT / "dataflow/metadata.json").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "dataflow/Dockerfile").read_text(encoding="utf-8")
SHOW = """
import json, sys
from dataflow.main import parser
print(json.dumps({a.dest: a.required for a in parser()._actions if a.dest != "help"}))
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """The environment with Beam."""
    try:
        return beam_env.python()
    except beam_env.UnavailableError as error:
        pytest.skip(f"no environment for Apache Beam here: {error}")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the image copies, and nothing else of the repository."""
    folder = tmp_path_factory.mktemp("template")
    copied = re.findall(r"^COPY (?!--from)(\S+) (\S+)$", DOCKERFILE, re.MULTILINE)
    assert len(copied) > 5
    for source, target in copied:
        place = folder / (Path(source).name if target == "." else target)
        place.parent.mkdir(parents=True, exist_ok=True)
        path = ROOT / source
        (shutil.copytree if path.is_dir() else shutil.copy)(path, place)
    return folder


def run(python: Path, image: Path, *words: str) -> str:
    env = {"PYTHONPATH": str(image), "PATH": "/usr/bin:/bin", "HOME": str(image)}
    done = subprocess.run(
        [str(python), *words], cwd=image, env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_metadata_is_what_the_api_takes() -> None:
    """Every field is one of TemplateMetadata."""
    ParseDict(METADATA, api.TemplateMetadata.pb()())


def test_the_metadata_names_the_parameters_of_the_pipeline(python: Path, image: Path) -> None:
    """Asked of the entry point with only what the image holds; optional ones are optional in both."""
    taken: dict[str, Any] = json.loads(run(python, image, "-c", SHOW))
    named = {p["name"]: not p["isOptional"] for p in METADATA["parameters"]}
    assert named == taken


def test_the_entry_point_starts_from_the_image_as_the_launcher_starts_it(python: Path, image: Path) -> None:
    """The launcher runs the file that the image's variable names."""
    found = re.search(r"FLEX_TEMPLATE_PYTHON_PY_FILE=/template/(\S+)", DOCKERFILE)
    assert found is not None
    assert "--run_id" in run(python, image, found[1], "--help")


def test_parameters_of_a_launch_match_their_patterns() -> None:
    """As ingest sends them."""
    sent = {"object": '{"bucket": "b"}', "run_id": "0" * 20, "settings": '{"GOOGLE_CLOUD_PROJECT": "p"}'}
    patterns = {p["name"]: p["regexes"] for p in METADATA["parameters"]}
    assert all(re.fullmatch(pattern, value) for name, value in sent.items() for pattern in patterns[name])


def test_the_image_has_the_beam_and_the_python_of_the_lock() -> None:
    """One version in the Dockerfile, in the lock and in the environment of the tests."""
    beam = re.search(r"^ARG BEAM=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert beam is not None
    for lock in ("requirements.txt", "requirements-local.txt"):
        assert re.search(
            rf"^apache-beam(\[gcp\])?=={re.escape(beam[1])} ", (ROOT / "dataflow" / lock).read_text(), re.M
        )
    assert {*re.findall(r"python:?(3\.?13)", DOCKERFILE)} == {"3.13", "313"}
