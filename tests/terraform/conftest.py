"""One provider, one plan of production and one of everything switched on, for the whole session."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.support import Root, copy_of, copy_root, make_provider

EVERYTHING = {
    "optional": "{composer=true,dataflow=true,cicd=true}",
    "composer_package": "0.1",
    "dataflow_image": "example/stockflow-dataflow/large-file@sha256:" + "0" * 64,
    "composer_image": "composer-3-airflow-3.1.0-build.1",
    "repository": '{owner="example",name="stockflow"}',
    "kms_key": "projects/p/locations/l/keyRings/r/cryptoKeys/k",
    "network": '{network="n",subnetwork="s"}',
    "budget": '{billing_account="000000-000000-000000",amount=500}',
    "secrets": '{ingest={SFTP_PASSWORD="example"}}',
    "location_rows": '{PAR01=["group:paris@example.com"]}',
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say loudly when the terraform binary is absent: this part is then not checked."""
    if shutil.which("terraform") is None:
        skip = pytest.mark.skip(reason="NOT CHECKED: no terraform binary on PATH, so no plan of terraform/")
        for item in items:
            if "terraform" in item.path.parts:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Terraform's CLI configuration that names the schema-serving provider."""
    return make_provider(tmp_path_factory.mktemp("provider"))


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory, provider: Path) -> Root:
    """A copy of the root to plan, validate and test in."""
    return copy_root(tmp_path_factory.mktemp("root"), provider)


@pytest.fixture(scope="session")
def plan(root: Root) -> dict[str, Any]:
    """The plan of environments/prod.tfvars."""
    return root.plan("-var-file=environments/prod.tfvars", out="plan.bin")


@pytest.fixture(scope="session")
def full_plan(root: Root) -> dict[str, Any]:
    """The plan with every optional part switched on."""
    switches = [f"-var={name}={value}" for name, value in EVERYTHING.items()]
    return root.plan("-var-file=environments/prod.tfvars", *switches)


@pytest.fixture(scope="session")
def applied_root(tmp_path_factory: pytest.TempPathFactory, root: Root, plan: dict[str, Any]) -> Root:
    """A copy of the root after an apply of the plan: what a plan cannot know yet has a (made-up) value."""
    assert plan["planned_values"]
    copy = copy_of(root, tmp_path_factory.mktemp("applied"))
    copy.run("apply", "-input=false", "plan.bin")
    return copy


@pytest.fixture(scope="session")
def applied(applied_root: Root) -> dict[str, Any]:
    """The state after that apply."""
    shown = json.loads(applied_root.run("show", "-json"))
    return {"planned_values": shown["values"]}
