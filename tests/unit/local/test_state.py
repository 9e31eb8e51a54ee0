"""A stack's folder: its ports, and what is said to run."""

import os
import socket
from pathlib import Path

import pytest

from local import control
from local.environment import state_folder, variables
from local.state import (
    PORTS,
    PartStatus,
    StackStatus,
    birth,
    find_stack,
    free_port,
    open_stack,
    read_status,
    running,
    write_status,
)


def test_two_folders_have_different_ports(tmp_path: Path) -> None:
    """Given two stacks, they can run side by side."""
    one, two = open_stack(tmp_path / "one"), open_stack(tmp_path / "two")
    assert len({*one.ports.values(), *two.ports.values()}) == 2 * len(PORTS)


def test_ports_are_none_that_an_outgoing_connection_is_given(tmp_path: Path) -> None:
    """Given a stack that is away for a moment, only another server could take its ports meanwhile."""
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(given.read_text().split()[0]) if given.exists() else 49152
    assert all(1024 <= port < lowest for port in [*open_stack(tmp_path).ports.values(), free_port()])


def test_ports_are_kept_while_they_are_free(tmp_path: Path) -> None:
    """Given a stack that ran before, its addresses stay; only a port that somebody took is chosen anew."""
    before = open_stack(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", before.ports["kpi"]))
        taken.listen()
        after = open_stack(tmp_path)
    assert {name for name in PORTS if before.ports[name] != after.ports[name]} == {"kpi"}
    assert find_stack(tmp_path) == after


def test_a_stack_runs_only_while_that_very_process_lives(tmp_path: Path) -> None:
    """Given a status of a process that is gone, whose id somebody else has now, nothing runs."""
    stack = open_stack(tmp_path)
    mine = birth(os.getpid())
    assert mine is not None
    write_status(stack, StackStatus("ready", os.getpid(), mine, [PartStatus("kpi", port=1)]))
    assert running(tmp_path)
    write_status(stack, StackStatus("ready", os.getpid(), "an earlier process", []))
    assert not running(tmp_path)
    found = read_status(tmp_path)
    assert found is not None and found.parts == []


def test_a_stack_is_found_from_a_folder_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given no STOCKFLOW_STATE, the nearest stack above counts; where none was made, it would be made here."""
    monkeypatch.delenv("STOCKFLOW_STATE", raising=False)
    below = tmp_path / "checkout/samples/sales"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert state_folder() == Path(".stockflow")
    stack = open_stack(tmp_path / "checkout/.stockflow")
    assert state_folder() == stack.folder
    monkeypatch.setenv("STOCKFLOW_STATE", "/elsewhere")
    assert state_folder() == Path("/elsewhere")


def test_down_where_nothing_runs_does_nothing(tmp_path: Path) -> None:
    """Given a folder without a stack, or with a stopped one, down says that nothing ran."""
    assert not control.down(tmp_path / "never")
    write_status(open_stack(tmp_path), StackStatus("ready", os.getpid(), "gone", []))
    assert not control.down(tmp_path)


def test_the_environment_names_every_endpoint_and_keeps_gcloud_to_itself(tmp_path: Path) -> None:
    """Given a stack, its variables name its own ports and a configuration folder inside its state."""
    stack = open_stack(tmp_path)
    env = variables(stack)
    assert env["STORAGE_EMULATOR_HOST"] == f"http://127.0.0.1:{stack.ports['storage']}"
    assert env["BIGQUERY_EMULATOR_HOST"] == f"http://127.0.0.1:{stack.ports['bigquery']}"
    assert env["PUBSUB_EMULATOR_HOST"] == f"127.0.0.1:{stack.ports['pubsub']}"
    for name in ("CLOUDSDK_CONFIG", "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", "BIGQUERYRC", "BOTO_CONFIG"):
        assert Path(env[name]).is_relative_to(tmp_path) and Path(env[name]).exists()
