"""Starts the parts of a stack in order, watches them, restarts what dies, and stops them all."""

import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

from local import guard
from local.environment import variables
from local.parts import Part, parts
from local.process import GRACE_SECONDS, Process
from local.scheduler import ticks
from local.state import FUNCTIONS, Stack, StackStatus, birth, open_stack, write_status

START_SECONDS = 120
MAX_RESTARTS = 5
STABLE_SECONDS = 60


class StackError(Exception):
    """A part cannot be brought up; the message says which, why, and the end of its log."""


class Supervisor:
    """Runs one stack until ``stop`` is set."""

    def __init__(self, stack: Stack, with_dashboard: bool = True) -> None:
        self.stack = stack
        self.processes: dict[str, Process] = {}
        self.stop = threading.Event()
        self._with_dashboard = with_dashboard
        self._ticks = ticks()
        self._state, self._message = "starting", ""

    def run(self) -> int:
        """Bring everything up, watch it, and take it down again; return the exit code."""
        guarding = guard.start(self.stack.folder)
        try:
            self._start_all()
            self._say("ready")
            self._watch()
            return 0
        except StackError as error:
            self._say("failed", str(error))
            print(error, file=sys.stderr, flush=True)
            return 1
        except Exception:
            self._say("failed", traceback.format_exc())
            raise
        finally:
            self._stop_all()
            guard.finish(guarding)

    # -- up

    def _start_all(self) -> None:
        """Start every part at once; provision while the functions are still importing."""
        self._check_data()
        emulators, rest = parts(self.stack, self._with_dashboard)
        for part in [*emulators, *rest]:
            self.processes[part.name] = Process(part, self.stack)
            self.processes[part.name].start()
        self._say("starting")
        self._await_healthy(emulators)
        if not self.stop.is_set():
            self._provision()
        self._await_healthy(rest)
        if not self.stop.is_set():
            self._make_subscriptions()

    def _check_data(self) -> None:
        old = next((self.stack.folder / "bigquery").glob("*.ducklake"), None)
        if old is not None:
            raise StackError(
                f"{old} was written by an earlier version, which kept tables in another form. "
                "`stockflow down --purge` removes the stack's data; then drop the files again"
            )

    def _await_healthy(self, wanted: list[Part]) -> None:
        deadline = time.monotonic() + START_SECONDS
        waiting = {p.name for p in wanted}
        while waiting and not self.stop.is_set():
            waiting -= {name for name in waiting if self._is_up(name)}
            if time.monotonic() > deadline:
                raise StackError(self._why(min(waiting), f"did not answer within {START_SECONDS} s"))
            self.stop.wait(0.1)

    def _is_up(self, name: str) -> bool:
        process = self.processes[name]
        code = process.exit_code()
        if code is not None:
            raise StackError(self._why(name, f"ended with code {code} before it was healthy"))
        if process.part.healthy():
            process.status.state = "healthy"
            self._say(self._state)
            return True
        return False

    def _why(self, name: str, what: str) -> str:
        return f"{name} {what}. The end of {self.stack.log(name)}:\n{self.processes[name].last_lines()}"

    def _provision(self) -> None:
        """Create topics, buckets and what the warehouse holds; the last only when its files changed."""
        os.environ.update(variables(self.stack))
        from cli import provision
        from cli.retention.expire import expire
        from stockflow.services import Services

        services = Services.from_env()
        provision.topics(services.settings)
        provision.buckets(services)
        provision.definitions(services)
        made, now = self.stack.folder / "provisioned", provision.fingerprint(services)
        if not made.exists() or made.read_text() != now:
            provision.warehouse(services)
            provision.reporting(services)
            made.write_text(now)
        expire(services)

    def _make_subscriptions(self) -> None:
        from cli.provision import subscriptions
        from stockflow.settings import Settings

        subscriptions(Settings.from_env(), {f: self.stack.url(f) for f in FUNCTIONS})

    # -- while it runs

    def _watch(self) -> None:
        while not self.stop.wait(0.5):
            for name, process in self.processes.items():
                self._look_after(name, process)
            for tick in self._ticks:
                tick.maybe(self.processes["pubsub"].status.state == "healthy")

    def _look_after(self, name: str, process: Process) -> None:
        status, code = process.status, process.exit_code()
        if code is not None and status.state != "failed":
            self._restart(name, process, code)
        elif status.state == "restarting" and process.part.healthy():
            status.state = "healthy"
            self._say("ready")

    def _restart(self, name: str, process: Process, code: int) -> None:
        status = process.status
        if time.time() - status.since > STABLE_SECONDS:
            status.restarts = 0
        if status.restarts >= MAX_RESTARTS:
            status.state, status.message = "failed", f"ended with code {code}, {MAX_RESTARTS} times in a row"
            self._say("ready", self._why(name, status.message))
            return
        status.message = f"ended with code {code} and was started again"
        print(self._why(name, status.message), file=sys.stderr, flush=True)
        self.stop.wait(min(0.2 * 2**status.restarts, 5))
        restarts = status.restarts + 1
        process.start()
        process.status.restarts, process.status.state = restarts, "restarting"
        self._say("ready")

    # -- down

    def _stop_all(self) -> None:
        """Functions first: what feeds them outlives them, so that nothing is cut off half-way."""
        for process in reversed(self.processes.values()):
            process.stop()
        deadline = time.monotonic() + GRACE_SECONDS
        for process in self.processes.values():
            process.finish(deadline)
        self._say("stopped" if self._state != "failed" else "failed", self._message)

    def _say(self, state: str, message: str = "") -> None:
        self._state, self._message = state, message
        statuses = [p.status for p in self.processes.values()]
        pid = os.getpid()
        write_status(self.stack, StackStatus(state, pid, birth(pid) or "", statuses, message))


def main(argv: list[str] | None = None) -> int:
    """``python -m local.supervisor FOLDER [--no-dashboard]``: run until SIGTERM or SIGINT."""
    args = sys.argv[1:] if argv is None else argv
    supervisor = Supervisor(open_stack(Path(args[0])), with_dashboard="--no-dashboard" not in args)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: supervisor.stop.set())
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
