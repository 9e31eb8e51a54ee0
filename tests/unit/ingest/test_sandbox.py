"""A reader in a process of its own: its rows arrive, and its death is an answer like any other."""

import os
import signal
import tempfile
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from functions.ingest.readers import sandbox
from functions.ingest.readers.model import Chunk, Facts, Target
from functions.ingest.readers.sandbox import isolated
from functions.ingest.readers.sandbox_job import Job
from stockflow.errors import PermanentError
from tests.unit.ingest.reading import contracts

JOB = Job("tests.unit.ingest.crashes", "fine", Target(contracts()["sales"], "sales/x.xlsx"), 100_000_000)


def run(function: str, facts: Facts | None = None, size: int = 1000, **limits: Any) -> list[Chunk]:
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * size)
        file.seek(0)
        return list(isolated(replace(JOB, function=function, **limits), file, facts or Facts()))


def refused(function: str, **limits: Any) -> PermanentError:
    with pytest.raises(PermanentError) as error:
        run(function, **limits)
    return error.value


def test_rows_rejects_and_facts_arrive() -> None:
    facts = Facts()
    chunks = run("fine", facts)
    assert [c.batch.column("sku").to_pylist() for c in chunks if c.batch] == [[f"S{i}", "é\t"] for i in range(300)]
    assert chunks[0].rejects[0].code == "wrong_width"
    assert facts.values == {"header": ["sku"], "size": 1000, "name": "sales/x.xlsx"}


def test_a_refusal_is_the_readers_own() -> None:
    error = refused("refuses")
    assert (error.code, error.message, error.facts) == ("missing_columns", "no sku", {"missing": ["sku"]})


@pytest.mark.parametrize(
    ("function", "words"),
    [("aborts", "SIGABRT"), ("fails", "what nobody thought of"), ("lies", "cannot be read")],
)
def test_a_death_is_named(function: str, words: str) -> None:
    error = refused(function)
    assert error.code == "unreadable_file"
    assert words in error.message


@pytest.mark.parametrize(("function", "limit"), [("hangs", {"seconds": 1}), ("spins", {"cpu_seconds": 1})])
def test_what_never_ends_is_ended(function: str, limit: dict[str, int]) -> None:
    started = time.monotonic()
    assert "took too long" in refused(function, **limit).message
    assert time.monotonic() - started < 20


def test_what_swells_is_refused_with_what_to_do() -> None:
    error = refused("swells", size=1_000_000)
    assert error.code == "too_large_for_function"
    assert "Save it as CSV, or split it" in error.message


def test_a_small_file_that_swells_is_damaged_rather_than_too_large() -> None:
    """Nothing that people write takes hundreds of times its size: no larger machine reads it either."""
    error = refused("swells", size=100_000)
    assert (error.code, error.facts["size"]) == ("unreadable_file", 100_000)
    assert "its 100,000 bytes" in error.message
    assert "damaged" in error.message


def test_neighbours_go_on_while_others_die() -> None:
    ends: list[str] = []

    def one(function: str) -> None:
        try:
            ends.append(f"{function} {len(run(function))}")
        except PermanentError as error:
            ends.append(f"{function} {error.code}")

    threads = [threading.Thread(target=one, args=(f,)) for f in ["fine", "aborts"] * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ends) == ["aborts unreadable_file"] * 5 + ["fine 300"] * 5


def test_the_waiting_process_is_started_again_when_it_was_killed() -> None:
    run("fine")
    process = sandbox._server._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert len(run("fine")) == 300


def test_who_stops_reading_leaves_nothing_behind() -> None:
    run("fine")
    before = os.dup(0)  # the lowest descriptor that is free
    os.close(before)
    for _ in range(20):
        with tempfile.TemporaryFile() as file:
            chunks: Any = isolated(JOB, file, Facts())  # a generator
            next(chunks)
            chunks.close()
    after = os.dup(0)
    os.close(after)
    assert after == before


def test_a_file_costs_little_more_in_a_process_of_its_own() -> None:
    run("fine")
    started = time.monotonic()
    for _ in range(5):
        run("fine")
    assert (time.monotonic() - started) / 5 < 0.5
