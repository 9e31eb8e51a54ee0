"""The pipeline itself, on Beam's local runner with two worker processes, against the emulators."""

import json
from dataclasses import fields

import pytest

from functions.ingest.pipeline import ingest
from stockflow.services import Services
from tests.dataflow import beam_env, shop

pytestmark = pytest.mark.integration
PART = 1 << 20


@pytest.fixture(autouse=True, scope="module")
def _beam() -> None:
    try:
        beam_env.python()
    except beam_env.UnavailableError as error:
        pytest.skip(f"no environment for Apache Beam here: {error}")


def settings_of(services: Services) -> dict[str, str]:
    """Return the settings that differ from their defaults, as variables."""
    values = ((f.metadata["variable"], getattr(services.settings, f.name)) for f in fields(services.settings))
    return {variable: str(value) for variable, value in values if value}


def launch(services: Services, ref: shop.ObjectRef, run_id: str, **variables: str) -> beam_env.Ran:
    """Run the pipeline for an object."""
    asked = ["--object", shop.resource(ref), "--run_id", run_id, "--part_bytes", str(PART)]
    return beam_env.run([*asked, "--settings", json.dumps(settings_of(services))], variables)


def test_one_call_and_beam_commit_the_same_also_after_a_kill(services: Services) -> None:
    """A job that dies behind its load job, and the same one launched again."""
    ref = shop.drop(services, "sales/large.csv", shop.sales(60_000, 1_000_000))
    by_call = ingest(ref, services)
    killed = launch(services, ref, "run-beam", STOCKFLOW_POINT="ingest.loaded:raise:1")
    assert killed.code != 0 and "asked to fail at ingest.loaded" in killed.said
    assert shop.committed(ref, services).raw_run_id == by_call.raw_run_id
    again = launch(services, ref, "run-beam")
    assert again.code == 0, again.said[-4000:]
    record = shop.committed(ref, services)
    assert (record.raw_run_id, record.state, record.rows) == ("run-beam", "loaded", by_call.rows)
    assert record.detail["parts"] > 1
    assert shop.digest(ref, services) == shop.digest(ref, services, by_call.raw_run_id)
    assert shop.rejects(ref, services) == shop.rejects(ref, services, by_call.raw_run_id)
