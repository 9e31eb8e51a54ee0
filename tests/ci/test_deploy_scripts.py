"""plan.sh, deploy.sh and rollback.sh as Cloud Build runs them: the real terraform, a provider without a cloud."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.terraform.support import QUICK, RELEASE, ROOT, Root, copy_root, make_provider

pytestmark = pytest.mark.skipif(shutil.which("terraform") is None, reason="NOT CHECKED: no terraform binary on PATH")
NEXT = {**RELEASE, "ingest": {"object": "functions/ingest-1.zip", "version": "1"}}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """A checkout with the scripts, an empty project, and the first release packaged."""
    root = copy_root(tmp_path_factory.mktemp("project"), make_provider(tmp_path_factory.mktemp("provider")))
    (root.terraform / "release.auto.tfvars.json").unlink()
    shutil.copytree(ROOT / "scripts/ci", root.folder / "scripts/ci")
    package(root, RELEASE)
    return root


def package(project: Root, release: object) -> None:
    """What package.sh leaves for Terraform."""
    (project.folder / "build").mkdir(exist_ok=True)
    (project.folder / "build/release.auto.tfvars.json").write_text(json.dumps({"release": release}))


def run(project: Root, name: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a script as its step does."""
    env = {
        **os.environ, "TF_CLI_CONFIG_FILE": str(project.config), "TF_IN_AUTOMATION": "1", "NO_COLOR": "1",
        "PROJECT": "example-stockflow-dev", "ENVIRONMENT": "dev", "TERRAFORM_INIT": "0",
        **QUICK, **more,
    }  # fmt: skip
    command = ["sh", str(project.folder / f"scripts/ci/{name}.sh")]
    return subprocess.run(command, env=env, cwd="/", text=True, capture_output=True, check=False)


def live(project: Root) -> object:
    """The release that the state says is live."""
    return json.loads(subprocess.run(
        ["terraform", "output", "-json", "release"], cwd=project.terraform, check=True, capture_output=True,
        env={**os.environ, "TF_CLI_CONFIG_FILE": str(project.config)},
    ).stdout)  # fmt: skip


def sources(project: Root) -> set[str]:
    """The zips that the functions run, by the state."""
    state = json.loads((project.terraform / "terraform.tfstate").read_text())
    functions = next(r for r in state["resources"] if r["type"] == "google_cloudfunctions2_function")
    found = [i["attributes"]["build_config"][0]["source"][0]["storage_source"][0] for i in functions["instances"]]
    return {source["object"].removeprefix("functions/").removesuffix(".zip") for source in found}


def text(project: Root, name: str) -> str:
    return (Path(project.folder) / "build" / name).read_text()


def ran(project: Root, *names: str) -> None:
    for name in names:
        done = run(project, name)
        assert done.returncode == 0, f"{name}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"


def test_from_an_empty_project_over_a_change_and_back(project: Root) -> None:
    """Given a first release, then a function whose canary does not arrive, then a deployment that stops half-way.

    After both the release before is live again.
    """
    ran(project, "plan", "deploy")
    assert live(project) == RELEASE
    assert text(project, "previous.json").strip() == "null"
    nothing_before = run(project, "rollback")
    assert nothing_before.returncode == 1 and "no release before" in nothing_before.stderr

    package(project, NEXT)
    ran(project, "plan")
    changed = [line.strip() for line in text(project, "plan.txt").splitlines() if line.startswith("  # ")]
    assert changed == ['# google_cloudfunctions2_function.this["ingest"] will be updated in-place']
    ran(project, "deploy")
    assert (live(project), json.loads(text(project, "previous.json"))) == (NEXT, RELEASE)

    back = run(project, "rollback")
    assert back.returncode == 1, "a build whose canary did not arrive fails"
    assert "live again" in back.stderr
    assert live(project) == RELEASE

    package(project, {fn: NEXT["ingest"] | {"object": f"functions/{fn}-2.zip"} for fn in RELEASE})
    ran(project, "plan")
    broken = run(project, "deploy", TFSTUB_REFUSES="functions/kpi-2.zip")
    assert broken.returncode != 0 and "is refused" in broken.stderr
    assert sources(project) == {"ingest-2", "validate-2", "transform-2", "kpi-0"}
    assert run(project, "rollback").returncode == 1
    assert (live(project), sources(project)) == (RELEASE, {f"{fn}-0" for fn in RELEASE})

    (project.folder / "build/smoke.ok").touch()
    assert run(project, "rollback").returncode == 0
