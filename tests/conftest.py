"""Fixtures on the embedded stack: see tests/support/README.md."""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from local.state import Stack
from stockflow.services import Services
from tests.support import stack

# The same examples in each run: a failure is one of the change, not of the day, and not of a busy machine.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")

LONGEST = (
    "test_replay.py",
    "test_golden.py",
    "test_backfill.py",
    "test_chaos.py",
    "test_statements.py",
    "test_configuration.py",
    "test_runbook.py",
    "test_readme_commands.py",
    "test_stack.py",
    "test_deploy_scripts.py",
    "test_new_column.py",
    "test_beam.py",
    "test_large_files.py",
)

gc.disable()  # while hundreds of modules are imported


def pytest_collection_finish() -> None:
    """Collect garbage again, but never look through what was imported: it stays."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take minutes: begun last, one worker would wait for the other."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.name, len(LONGEST)))


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Emulators]:
    """The emulators of this session (one set per xdist worker), started when first asked for."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with stack.emulators(tmp_path_factory.mktemp("emulators"), shared / "prepared") as running:
        yield running


@pytest.fixture(scope="module")
def warehouse_stack(emulators: stack.Emulators) -> Iterator[Stack]:
    """The stack of a BigQuery emulator of this module's own, everything provisioned."""
    with stack.warehouse(emulators) as own:
        yield own


@pytest.fixture(scope="module")
def bigquery_emulator(warehouse_stack: Stack) -> str:
    """Endpoint of this module's BigQuery emulator: what is provisioned has ``stack.DATASET_PREFIX``."""
    return warehouse_stack.url("bigquery")


@pytest.fixture(scope="session")
def storage_emulator(emulators: stack.Emulators) -> str:
    """Endpoint of fake-gcs-server."""
    return emulators.storage


@pytest.fixture(scope="session")
def pubsub_emulator(emulators: stack.Emulators) -> str:
    """``host:port`` of the Pub/Sub emulator."""
    return emulators.pubsub


@pytest.fixture(scope="module")
def services(emulators: stack.Emulators, warehouse_stack: Stack) -> Iterator[Services]:
    """Services of an environment of this module's own, everything provisioned."""
    with stack.serving(emulators, warehouse_stack) as ready:
        yield ready


@pytest.fixture(scope="session")
def whole_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack.whole(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="module")
def full_stack(whole_stack: Stack) -> Iterator[stack.FullStack]:
    """A whole running stack, shared by the session: emulators and the four functions."""
    with stack.speaking(whole_stack) as running:
        yield running
