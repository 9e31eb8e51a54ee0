"""What ingest is told of Dataflow jobs: fields that the API knows, and the key of the project."""

import json
from typing import Any

import pytest
from google.cloud import dataflow_v1beta3 as api
from google.protobuf.json_format import ParseDict

from tests.terraform.support import Root, copy_of, resources

IMAGE = "example/stockflow-dataflow/large-file@sha256:" + "0" * 64
KEY = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
SWITCHES = ("-var-file=environments/prod.tfvars", "-var=optional={dataflow=true}", f"-var=dataflow_image={IMAGE}")


@pytest.fixture(scope="module")
def state(root: Root, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The state after an apply with Dataflow and a key of one's own switched on."""
    copy = copy_of(root, tmp_path_factory.mktemp("large"))
    copy.plan(*SWITCHES, f"-var=kms_key={KEY}", out="large.bin")
    copy.run("apply", "-input=false", "large.bin")
    return {"planned_values": json.loads(copy.run("show", "-json"))["values"]}


def told(state: dict[str, Any]) -> dict[str, Any]:
    """Return how jobs run, as the function ingest is told."""
    functions = resources(state, "google_cloudfunctions2_function").values()
    (ingest,) = (f for f in functions if f["name"] == "stockflow-ingest")
    found: dict[str, Any] = json.loads(
        ingest["service_config"][0]["environment_variables"]["STOCKFLOW_DATAFLOW_ENVIRONMENT"]
    )
    return found


def test_every_field_is_one_of_the_api(state: dict[str, Any]) -> None:
    """A field that the API does not have would be refused when the first large file lands."""
    message = ParseDict(told(state), api.FlexTemplateRuntimeEnvironment.pb()())
    assert message.max_workers == 8 and message.sdk_container_image == IMAGE


def test_workers_use_the_key_of_the_project(state: dict[str, Any]) -> None:
    """Their disks and the job's state are encrypted with it; the agents that do so may use it."""
    assert told(state)["kmsKeyName"] == KEY
    users = {v["member"] for v in resources(state, "google_kms_crypto_key_iam_member").values()}
    agents = {u.partition("@")[2].partition(".")[0] for u in users}
    assert {"dataflow-service-producer-prod", "compute-system"} <= agents


@pytest.fixture(scope="module")
def without(root: Root) -> dict[str, Any]:
    """The plan of a project with a key, without Dataflow and without the catalogue."""
    return root.plan("-var-file=environments/prod.tfvars", "-var=optional={catalog=false}", f"-var=kms_key={KEY}")


def test_without_dataflow_its_agents_get_no_key(without: dict[str, Any]) -> None:
    users = set(resources(without, "google_kms_crypto_key_iam_member"))
    assert users and not any("dataflow" in a or "compute" in a for a in users)


def test_without_the_catalogue_no_lineage_is_billed(without: dict[str, Any]) -> None:
    """Where the Data Lineage API is on, BigQuery reports what each job read and wrote by itself."""
    apis = {api["service"] for api in resources(without, "google_project_service").values()}
    assert "bigquery.googleapis.com" in apis and not apis & {"datalineage.googleapis.com", "dataplex.googleapis.com"}
