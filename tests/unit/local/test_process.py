"""A part's process: logged with times, stopped with all it started, gone when its supervisor is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from local.parts import Part
from local.process import Process
from local.state import alive, birth, open_stack
from stockflow.waiting import wait_until


def part(code: str) -> Part:
    return Part("pubsub", (sys.executable, "-c", code), dict(os.environ), lambda: True, 0)


def test_what_a_part_says_is_logged_with_the_time(tmp_path: Path) -> None:
    """Given a part that prints and ends, its log has each line behind a time, also one without a line's end."""
    stack = open_stack(tmp_path)
    process = Process(part("print('hello'); print('bye', end='')"), stack)
    process.start()
    assert wait_until(lambda: process.exit_code() == 0, 20)
    process.finish(time.monotonic() + 5)
    times, said = zip(*(line.split(" ", 1) for line in stack.log("pubsub").read_text().splitlines()), strict=True)
    assert said == ("--- started", "hello", "bye")
    assert all(t.endswith("Z") for t in times)


def test_a_part_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    """Given a part that does not end when asked, it is gone after its time."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    process = Process(part(code), open_stack(tmp_path))
    process.start()
    assert wait_until(lambda: "up" in process.last_lines(), 20)
    pid, born = process.status.pid, process.status.born
    process.stop()
    process.finish(time.monotonic() + 0.3)
    assert not alive(pid, born)
    assert process.status.state == "stopped"


PARENT = """
import os, sys, time
from pathlib import Path
from local.parts import Part
from local.process import Process
from local.state import open_stack
part = Part("pubsub", (sys.executable, "-c", "import time; time.sleep(60)"), dict(os.environ), lambda: True, 0)
process = Process(part, open_stack(Path(sys.argv[1])))
process.start()
print(process.status.pid, flush=True)
time.sleep(60)
"""


def test_a_part_dies_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    """Given a supervisor that gets kill -9, its parts do not outlive it."""
    supervisor = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    with supervisor.stdout as said:
        pid = int(said.readline())
        born = birth(pid)
        supervisor.send_signal(signal.SIGKILL)
        supervisor.wait()
    assert wait_until(lambda: not alive(pid, born), 10)
