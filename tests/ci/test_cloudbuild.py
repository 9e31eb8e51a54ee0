"""The three pipelines of Cloud Build: by its schema, and by what the schema does not say."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = ("cloudbuild.yaml", "cloudbuild.deploy.yaml", "cloudbuild.pr.yaml")
BUILT_IN = {"PROJECT_ID", "COMMIT_SHA"}


def pipeline(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return loaded


@pytest.mark.parametrize("name", FILES)
def test_it_fits_the_schema(name: str) -> None:
    """Cloud Build's own schema, which check-jsonschema carries."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.cloudbuild", str(ROOT / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", FILES)
def test_steps_wait_for_steps_before_them(name: str) -> None:
    """A waitFor that names no earlier step is not in the schema's power to refuse."""
    seen = {"-"}
    for step in pipeline(name)["steps"]:
        assert set(step.get("waitFor", [])) <= seen, step["id"]
        seen.add(step["id"])


@pytest.mark.parametrize("name", FILES)
def test_substitutions_are_declared_and_used(name: str) -> None:
    """An undeclared one would arrive as its own name; a user's begins with an underscore."""
    used = set(re.findall(r"\$\{?(\w+)", re.sub(r"^substitutions:\n(?:  .*\n)+", "", (ROOT / name).read_text())))
    declared = set(pipeline(name)["substitutions"])
    assert used - BUILT_IN == declared
    assert all(s.startswith("_") for s in declared)


@pytest.mark.parametrize("name", FILES)
def test_each_step_is_a_script_that_a_person_can_run(name: str) -> None:
    """The step's shell is the script's, and the script is there and may be executed."""
    for step in pipeline(name)["steps"]:
        (script,) = step["args"]
        path = ROOT / script
        assert path.stat().st_mode & 0o111, script
        shell = path.read_text().splitlines()[0].rsplit("/", 1)[1].removeprefix("env ")
        assert step["entrypoint"] == shell or script == "scripts/bootstrap.sh"


@pytest.mark.parametrize("name", FILES)
def test_a_step_uses_only_what_its_image_has(name: str) -> None:
    """The environment of the project is Python's image's: no other image can run it."""
    commands = {
        "_PYTHON_IMAGE": r"\.venv/bin/|make ",
        "_TERRAFORM_IMAGE": r"terraform ",
        "_CLOUD_SDK_IMAGE": r"gcloud ",
    }
    for step in pipeline(name)["steps"]:
        begins = re.findall(r"^ *(?:\w+=\S+ )*(\S+ )", (ROOT / step["args"][0]).read_text(), re.MULTILINE)
        others = [words for image, words in commands.items() if image != step["name"].removeprefix("$")]
        foreign = [word for word in begins if any(re.match(words, word) for words in others)]
        assert foreign == [], step["id"]


def test_a_pull_request_changes_nothing() -> None:
    """No step of the pull request's pipeline deploys, uploads, syncs or drops a file."""
    scripts = {step["args"][0] for step in pipeline("cloudbuild.pr.yaml")["steps"]}
    writing = {
        f"scripts/ci/{name}.sh"
        for name in ("deploy", "upload", "publish-dags", "sync-definitions", "smoke", "rollback")
    }
    assert scripts & writing == set()


def test_nothing_is_deployed_before_a_person_could_read_the_plan() -> None:
    """The pipeline that checks and plans changes nothing live; the one that deploys makes no plan of its own."""
    checks, deploys = (
        [step["args"][0].removeprefix("scripts/ci/") for step in pipeline(name)["steps"]] for name in FILES[:2]
    )
    assert set(checks) & {"deploy.sh", "sync-definitions.sh", "smoke.sh", "rollback.sh"} == set()
    assert checks[-2:] == ["plan.sh", "keep-plan.sh"]
    assert deploys[1:] == ["fetch-plan.sh", "deploy.sh", "smoke.sh", "rollback.sh", "sync-definitions.sh"]


def test_what_make_is_asked_for_exists() -> None:
    """The scripts that hand over to make name its targets."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {t for p in (ROOT / "scripts/ci").glob("*.sh") for t in re.findall(r"\bmake ([a-z-]+)", p.read_text())}
    assert asked and asked <= targets
