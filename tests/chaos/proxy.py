"""An HTTP proxy in front of the emulator of BigQuery or of Cloud Storage that makes faults, and counts requests."""

import http.client
import json
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.chaos.answers import INSERTED, failed_job, refusal
from tests.chaos.faults import COMMON, INSERTS, JOBS, Faults

_HOP = {"host", "connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}
_JOB = re.compile(r"/projects/(?P<project>[^/]+)/(?:jobs|queries)(?:/(?P<job>[^/?]+))?(?:\?.*)?$")
_NO_LINGER = struct.pack("ii", 1, 0)
type Answer = tuple[int, dict[str, str], bytes]
type Forward = Callable[[bytes], Answer]


class Proxy:
    """One port in front of one emulator. ``requests`` counts what came, by kind: jobs by what they do."""

    def __init__(self, upstream: str, faults: Faults) -> None:
        self.faults, self.requests = faults, Counter[str]()
        self._upstream = urlsplit(upstream)
        self._failed: dict[str, bytes] = {}
        self._late: list[threading.Timer] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))

    @property
    def endpoint(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        """Serve until the block ends; rows that are held back are handed over then."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.show_late_rows()
            self._server.shutdown()
            self._server.server_close()

    def show_late_rows(self) -> None:
        """Wait until every row that was held back is in the emulator."""
        with self._lock:
            waiting, self._late = self._late, []
        for timer in waiting:
            timer.join()

    def count(self, method: str, path: str, body: bytes) -> None:
        """Count a request by what it asks for."""
        with self._lock:
            self.requests[_kind(method, path, body)] += 1

    def fault(self, method: str, path: str, body: bytes) -> str | None:
        """Return the fault that this request gets, if any."""
        if is_insert(method, path):
            return self.faults.choose(INSERTS)
        if method == "POST" and (_JOB.search(path)):
            if _loads_into(body) in self.faults.exhausted:
                self.faults.count("quotaExceeded")
                return "quotaExceeded"
            return self.faults.choose(JOBS if path.split("?", maxsplit=1)[0].endswith("/jobs") else COMMON)
        return self.faults.choose(COMMON)

    def through(self, request: tuple[str, str], headers: Mapping[str, str], body: bytes, forward: Forward) -> Answer:
        """Return the answer to a request (method and path) that gets no fault."""
        return forward(body)

    def connect(self) -> http.client.HTTPConnection:
        """Open a connection to the emulator."""
        assert self._upstream.hostname
        return http.client.HTTPConnection(self._upstream.hostname, self._upstream.port, timeout=300)

    def here(self, text: str) -> str:
        """Return a header's value with the emulator's address replaced by the proxy's."""
        return text.replace(f"{self._upstream.scheme}://{self._upstream.netloc}", self.endpoint)

    def hold(self, path: str, headers: dict[str, str], body: bytes) -> None:
        """Hand rows over later, as often as it takes: they were accepted."""
        timer = threading.Timer(self.hold_seconds(), self._hand_over, (path, headers, body))
        with self._lock:
            self._late.append(timer)
        timer.start()

    def hold_seconds(self) -> float:
        """Return for how long the next rows are held back."""
        return self.faults.seconds(self.faults.late_seconds)

    def _hand_over(self, path: str, headers: dict[str, str], body: bytes) -> None:
        for _ in range(100):
            with suppress(OSError, http.client.HTTPException):
                connection = self.connect()
                connection.request("POST", path, body, headers)
                if connection.getresponse().status == 200:
                    return
            time.sleep(0.1)

    def fail_job(self, path: str, body: bytes) -> bytes:
        """Return the answer to a job that ended with an error, and remember it."""
        found = _JOB.search(path)
        assert found
        job = failed_job(json.loads(body or b"{}"), found["project"])
        answer = json.dumps(job).encode()
        self._failed[job["jobReference"]["jobId"]] = answer
        return answer

    def known_failure(self, method: str, path: str) -> bytes | None:
        """Return the failed job that somebody asks for."""
        found = _JOB.search(path)
        return self._failed.get(found["job"] or "") if method == "GET" and found else None


def is_insert(method: str, path: str) -> bool:
    """Return whether a request streams rows."""
    return method == "POST" and path.split("?", maxsplit=1)[0].endswith("/insertAll")


def job_path(path: str) -> re.Match[str] | None:
    """Return the groups ``project`` and ``job`` (None for a new one) of a path of jobs or of their results."""
    return _JOB.search(path)


def _without_ids(body: bytes) -> bytes:
    """A streaming insert whose rows nobody can tell from their copies."""
    asked = _json(body)
    rows = [{"json": row["json"]} for row in asked.get("rows", [])]
    return json.dumps({**asked, "rows": rows}).encode()


def _loads_into(body: bytes) -> str | None:
    load = _json(body).get("configuration", {}).get("load") or {}
    table: str | None = load.get("destinationTable", {}).get("tableId")
    return table


def _kind(method: str, path: str, body: bytes) -> str:
    if is_insert(method, path):
        return "insert"
    if method == "POST" and _JOB.search(path):
        return "load job" if "load" in _json(body).get("configuration", {}) else "query job"
    return "other"


def _json(body: bytes) -> dict[str, Any]:
    with suppress(ValueError):
        found = json.loads(body)
        return found if isinstance(found, dict) else {}
    return {}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def shutdown_request(self, request: Any) -> None:
        """Close without a farewell: where nothing may linger, the client sees a reset."""
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed, or a connection that was reset on purpose, is nothing to print."""


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            self._emulator = proxy.connect()

        def finish(self) -> None:
            self._emulator.close()
            with suppress(OSError, ValueError):
                super().finish()

        def _pass(self) -> None:
            body = self._body()
            proxy.count(self.command, self.path, body)
            if (failure := proxy.known_failure(self.command, self.path)) is not None:
                self._answer(200, {}, failure)
                return
            fault = proxy.fault(self.command, self.path, body)
            if fault is None:
                self._answer(*proxy.through((self.command, self.path), self._headers(), body, self._forward))
            else:
                self._fail(fault, body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass  # noqa: N815

        def _fail(self, fault: str, body: bytes) -> None:
            if fault == "reset":
                self._reset()
            elif fault == "hang":
                time.sleep(proxy.faults.seconds(proxy.faults.hang_seconds))
                self._reset()
            elif fault == "accepted_then_503":
                self._forward(body)
                self._answer(*_refused("503"))
            elif fault == "late_rows":
                proxy.hold(self.path, self._headers(), body)
                self._answer(200, {}, INSERTED)
            elif fault == "rows_twice":
                self._forward(_without_ids(body))
                self._answer(*self._forward(_without_ids(body)))
            elif fault == "job_failed":
                self._answer(200, {}, proxy.fail_job(self.path, body))
            else:
                self._answer(*_refused(fault))

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _headers(self) -> dict[str, str]:
            return {k: v for k, v in self.headers.items() if k.lower() not in _HOP}

        def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            try:
                answer = self._ask(body)
            except (http.client.HTTPException, OSError):  # the emulator closed a connection that was idle
                self._emulator.close()
                answer = self._ask(body)
            return answer.status, dict(answer.headers.items()), answer.read()

        def _ask(self, body: bytes) -> http.client.HTTPResponse:
            with suppress(BrokenPipeError, ConnectionResetError):  # the answer came before the body was sent
                self._emulator.request(self.command, self.path, body or None, self._headers())
            return self._emulator.getresponse()

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | headers).items():
                if name.lower() not in _HOP:
                    self.send_header(name, proxy.here(value) if name.lower() == "location" else value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _reset(self) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _refused(kind: str) -> tuple[int, dict[str, str], bytes]:
    status, body = refusal(kind)
    return status, {}, body
