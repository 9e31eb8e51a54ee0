"""The pipeline itself, on Beam's local runner with two worker processes, against the emulators."""

import json
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import pytest

from functions.ingest.pipeline import ingest
from stockflow.services import Services
from stockflow.waiting import wait_until
from tests.dataflow import beam_env, shop

pytestmark = pytest.mark.integration
PART = 1 << 20
KILLED_ROWS = 60_000  # five parts: some are read when the first is staged


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


def asked(services: Services, ref: shop.ObjectRef, run_id: str) -> list[str]:
    """Return the parameters of a job for an object."""
    job = ["--object", shop.resource(ref), "--run_id", run_id, "--part_bytes", str(PART)]
    return [*job, "--settings", json.dumps(settings_of(services))]


def launch(services: Services, ref: shop.ObjectRef, run_id: str, **variables: str) -> beam_env.Ran:
    """Run the pipeline for an object."""
    return beam_env.run(asked(services, ref, run_id), variables)


def workers_of(pid: int) -> list[int]:
    """Return the worker processes of a runner: not the shells that it starts them with."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for found in lists for child in found.read_text().split()]
    mine = [child for child in children if _is_worker(Path(f"/proc/{child}/cmdline").read_bytes())]
    return mine + [worker for child in children for worker in workers_of(child)]


def _is_worker(command: bytes) -> bool:
    program, *others = command.split(b"\0")
    return b"python" in program and any(b"sdk_worker" in word for word in others)


def staged_parts(services: Services, run_id: str) -> int:
    """Return how many parts of a run lie in the staging bucket."""
    names = (o.name for o in services.object_store.list(services.settings.staging_bucket))
    return sum(run_id in name and name.endswith(".parquet") for name in names)


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


def test_a_worker_that_is_killed_costs_nothing_and_a_relaunch_commits_once(services: Services) -> None:
    """SIGKILL of one of two worker processes while parts are read, whether or not the runner gets over it."""
    ref = shop.drop(services, "sales/killed.csv", shop.sales(KILLED_ROWS, 2_000_000))
    first = subprocess.Popen(
        beam_env.command(asked(services, ref, "run-killed"), 2), cwd=beam_env.ROOT, env=beam_env.environment({}),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        assert wait_until(lambda: staged_parts(services, "run-killed") > 0, 120)
        workers = workers_of(first.pid)
        assert len(workers) == 2 and "ingest" not in services.ledger.stages(ref.load_id, ref.landed_on)
        os.kill(workers[0], signal.SIGKILL)
        ended = wait_until(lambda: first.poll() is not None, 60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    print(f"the runner {f'ended with {first.returncode}' if ended else 'waited for the worker'}")
    again = launch(services, ref, "run-killed")
    assert again.code == 0, again.said[-4000:]
    record = shop.committed(ref, services)
    assert (record.raw_run_id, record.state, record.rows) == ("run-killed", "loaded", KILLED_ROWS)
    assert [row["_row"] for row in shop.rows(ref, services)] == list(range(1, KILLED_ROWS + 1))
    assert len(shop.rejects(ref, services)) == record.rejects == KILLED_ROWS // 1_000
