"""upload.sh, sync-definitions.sh and bootstrap-project.sh with the real gcloud on a storage emulator."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from local.parts import answers, storage_binary
from local.state import free_port
from stockflow.waiting import wait_until

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("gcloud") is None, reason="NOT CHECKED: no gcloud on this machine"),
]
# Enabling an API is the one thing that no emulator answers: it is written down and said to be done.
GCLOUD = """#!/bin/sh
if [ "$1 $2" = "services enable" ]; then echo "$@" >> "$SAID"; exit 0; fi
exec {gcloud} "$@"
"""


@dataclass(frozen=True)
class Checkout:
    """A copy of what the scripts read, and the environment that points gcloud at the emulator."""

    folder: Path
    env: dict[str, str]

    def run(self, name: str, ok: bool = True) -> str:
        command = ["sh" if name == "plan" else "bash", str(self.folder / f"scripts/ci/{name}.sh")]
        done = subprocess.run(command, env=self.env, cwd="/", capture_output=True, text=True, check=False)
        assert not ok or done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def names(self, bucket: str) -> list[str]:
        """What is in a bucket."""
        client = storage.Client(
            "ci", AnonymousCredentials(), client_options={"api_endpoint": self.env["STORAGE_EMULATOR_HOST"]}
        )
        return sorted(blob.name for blob in client.list_blobs(bucket))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A storage emulator in memory: unlike the one on files it knows versioning."""
    address = f"127.0.0.1:{free_port()}"
    url = f"http://{address}"
    command = [
        str(storage_binary()), "-scheme", "http", "-host", "127.0.0.1", "-port", address.split(":")[1],
        "-backend", "memory", "-external-url", url, "-public-host", address,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: answers(f"{url}/storage/v1/b", 200), 120)
        yield url
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def checkout(endpoint: str, tmp_path: Path) -> Checkout:
    """A checkout of a project of its own on the shared emulator."""
    for name in ("scripts/ci", "functions", "terraform", "contracts", "warehouse", "dataflow"):
        ignored = shutil.ignore_patterns("__pycache__", ".terraform*")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "pipeline.yaml", tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "token").write_text("local")
    fake = tmp_path / "bin/gcloud"
    fake.parent.mkdir()
    fake.write_text(GCLOUD.format(gcloud=shutil.which("gcloud")))
    fake.chmod(0o755)
    project = f"ci-{uuid4().hex[:8]}"
    return Checkout(tmp_path, {
        **os.environ, "PATH": f"{fake.parent}:{os.environ['PATH']}", "STORAGE_EMULATOR_HOST": endpoint,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{endpoint}/storage/v1/", "CLOUDSDK_CORE_PROJECT": project,
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(tmp_path / "token"), "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1", "PROJECT": project, "ENVIRONMENT": "dev", "SAID": str(tmp_path / "said"),
    })  # fmt: skip


def create(checkout: Checkout, bucket: str) -> None:
    subprocess.run(
        ["gcloud", "storage", "buckets", "create", f"gs://{bucket}"], env=checkout.env, check=True, capture_output=True
    )


def test_zips_are_uploaded_once_under_the_name_of_their_content(checkout: Checkout) -> None:
    """Given packaged functions, the four zips are there; a second upload of the same is no error."""
    bucket = f"{checkout.env['PROJECT']}-artifacts"
    create(checkout, bucket)
    checkout.run("package")
    checkout.run("upload")
    names = checkout.names(bucket)
    assert [n.split("-")[0] for n in names] == [f"functions/{f}" for f in ("ingest", "kpi", "transform", "validate")]
    checkout.run("upload")
    assert checkout.names(bucket) == names


def test_the_plan_of_a_commit_is_what_another_build_applies(checkout: Checkout) -> None:
    """Given a kept plan, another workspace gets it back byte by byte, with the providers' versions it was made with."""
    create(checkout, f"{checkout.env['PROJECT']}-artifacts")
    checkout.env["COMMIT"] = "abc123"
    kept = {"build/plan.bin": b"\x00plan", "build/plan.txt": b"words", "build/release.auto.tfvars.json": b"{}"}
    kept["terraform/.terraform.lock.hcl"] = b"# versions"
    (checkout.folder / "build").mkdir(exist_ok=True)
    for name, content in kept.items():
        (checkout.folder / name).write_bytes(content)
    checkout.run("keep-plan")
    for name in kept:
        (checkout.folder / name).unlink()
    checkout.run("fetch-plan")
    assert {name: (checkout.folder / name).read_bytes() for name in kept} == kept
    (checkout.folder / "terraform/.terraform.lock.hcl").unlink()


def test_definitions_are_synced_and_what_was_deleted_goes(checkout: Checkout) -> None:
    """Given a definition that was removed, the bucket holds what the folder holds."""
    bucket = f"{checkout.env['PROJECT']}-definitions"
    create(checkout, bucket)
    checkout.env["CHECKED"] = "1"
    checkout.run("sync-definitions")
    before = checkout.names(bucket)
    assert before == sorted(f"kpi/{p.name}" for p in (ROOT / "functions/kpi/definitions").glob("*.*"))
    (checkout.folder / "functions/kpi/definitions" / Path(before[0]).name).unlink()
    # gcloud trips over this emulator's answer to a delete ("null" where Google sends nothing), after it is done
    checkout.run("sync-definitions", ok=False)
    assert checkout.names(bucket) == before[1:]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="NOT CHECKED: no terraform binary on PATH")
def test_a_project_is_bootstrapped_once(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Given an empty project, buckets and zips are there and the first plan imports the zips' bucket; again is fine."""
    from tests.terraform.support import Root, local_state, make_provider

    root = Root(checkout.folder, make_provider(tmp_path_factory.mktemp("provider")))
    local_state(root.terraform)
    root.run("init", "-input=false")
    checkout.env.update({"TF_CLI_CONFIG_FILE": str(root.config), "TERRAFORM_INIT": "0", "TF_IN_AUTOMATION": "1"})
    for _ in range(2):
        checkout.run("bootstrap-project")
        assert len(checkout.names(f"{checkout.env['PROJECT']}-artifacts")) == 4
    checkout.run("plan")
    plan = (checkout.folder / "build/plan.txt").read_text()
    assert re.search(r"^Plan: 1 to import, \d+ to add, \d+ to change, 0 to destroy.$", plan, re.MULTILINE)
    assert "cloudresourcemanager.googleapis.com" in Path(checkout.env["SAID"]).read_text()
