"""Emulators and endpoints for these tests: started as a user starts them, spoken to by the real client."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.state import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
CALL: dict[str, Any] = {"retry": None, "timeout": 30}
"""Arguments of a call: no retry, so that a test sees the first answer."""


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Return the first true value of ``condition``; fail when none comes in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        time.sleep(0.02)
    return value


@dataclass
class Served:
    """Our emulator in a process of its own."""

    folder: Path
    port: int = 0
    rest_port: int = 0
    process: subprocess.Popen[str] | None = None
    lines: list[str] = field(default_factory=list)

    def start(self) -> "Served":
        """Start it and wait until it says where it listens."""
        command = [sys.executable, "-m", "local.pubsub", "serve", "--port", str(self.port)]
        command += ["--rest-port", str(self.rest_port), "--data-dir", str(self.folder)]
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline().strip() for _ in range(2)]
        ports = [re.fullmatch(r"(?:listening|REST) on 127\.0\.0\.1:(\d+)", line) for line in self.lines]
        assert all(ports), f"{self.lines}\n{self.log()}"
        self.port, self.rest_port = (int(p.group(1)) for p in ports if p)
        return self

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def log(self) -> str:
        """What it wrote to stderr."""
        return (self.folder / "log").read_text()

    @property
    def host(self) -> str:
        """``host:port`` of gRPC."""
        return f"127.0.0.1:{self.port}"


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """Yield our emulator, running."""
    emulator = Served(folder).start()
    try:
        yield emulator
    finally:
        with suppress(ProcessLookupError):
            emulator.kill()


# -- Google's emulator


def google_jar() -> Path | None:
    """Return where the Cloud SDK keeps Google's emulator, if it is on this machine."""
    gcloud, java = shutil.which("gcloud"), shutil.which("java")
    if not (gcloud and java):
        return None
    root = subprocess.run(
        [gcloud, "info", "--format=value(installation.sdk_root)"], check=False, capture_output=True, text=True
    )
    found = sorted(Path(root.stdout.strip()).glob("platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"))
    return found[-1] if found else None


@contextmanager
def google(jar: Path) -> Iterator[str]:
    """Yield ``host:port`` of Google's emulator, running."""
    port = free_port()
    command = ["java", "-Xmx256m", "-jar", str(jar), "--host=127.0.0.1", f"--port={port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(timeout=START_SECONDS)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


# -- a world of names and clients


@dataclass
class World:
    """Clients of one emulator, and fresh names for one test."""

    host: str
    name: str = "ours"
    project: str = field(default_factory=lambda: f"p-{uuid4().hex[:8]}")

    @cached_property
    def _channel(self) -> grpc.Channel:
        return grpc.insecure_channel(self.host, options=[("grpc.max_send_message_length", -1)])

    @cached_property
    def publisher(self) -> PublisherClient:
        """The generated client: one request is one call."""
        return PublisherClient(transport=PublisherGrpcTransport(channel=self._channel))

    @cached_property
    def subscriber(self) -> SubscriberClient:
        """The generated client: one request is one call."""
        return SubscriberClient(transport=SubscriberGrpcTransport(channel=self._channel))

    def close(self) -> None:
        """Hang up."""
        self._channel.close()

    # -- names

    def topic_name(self, name: str = "topic") -> str:
        """Return a full name."""
        return f"projects/{self.project}/topics/{name}"

    def sub_name(self, name: str = "sub") -> str:
        """Return a full name."""
        return f"projects/{self.project}/subscriptions/{name}"

    def snapshot_name(self, name: str = "snapshot") -> str:
        """Return a full name."""
        return f"projects/{self.project}/snapshots/{name}"

    # -- things

    def topic(self, name: str = "topic", **fields: Any) -> str:
        """Create a topic; return its full name."""
        self.publisher.create_topic(request={"name": self.topic_name(name), **fields}, **CALL)
        return self.topic_name(name)

    def sub(self, name: str = "sub", topic: str = "topic", **fields: Any) -> str:
        """Create a subscription; return its full name."""
        request = {"name": self.sub_name(name), "topic": self.topic_name(topic), **fields}
        self.subscriber.create_subscription(request=request, **CALL)
        return self.sub_name(name)

    def publish(self, *messages: Any, topic: str = "topic") -> list[str]:
        """Publish texts or message dicts in one request; return their ids."""
        built = [m if isinstance(m, dict) else {"data": str(m).encode()} for m in messages]
        request = {"topic": self.topic_name(topic), "messages": built}
        return list(self.publisher.publish(request=request, **CALL).message_ids)

    def pull(self, name: str = "sub", most: int = 100) -> list[Any]:
        """Return what one pull gives at once, perhaps nothing."""
        request = {"subscription": self.sub_name(name), "max_messages": most, "return_immediately": True}
        return list(self.subscriber.pull(request=request, **CALL).received_messages)

    def take(self, count: int, name: str = "sub", seconds: float = 60, ack: bool = True) -> list[Any]:
        """Pull until ``count`` messages came; acknowledge them; return them."""
        taken: list[Any] = []

        def enough() -> bool:
            got = self.pull(name, count - len(taken))
            taken.extend(got)
            if got and ack:
                self.ack(got, name)
            return len(taken) >= count

        until(enough, seconds)
        return taken

    def ack(self, received: list[Any], name: str = "sub") -> None:
        """Acknowledge."""
        request = {"subscription": self.sub_name(name), "ack_ids": [m.ack_id for m in received]}
        self.subscriber.acknowledge(request=request, **CALL)

    def extend(self, received: list[Any], seconds: int, name: str = "sub") -> None:
        """Move the ack deadline; 0 is a nack."""
        ids = [m.ack_id for m in received]
        request = {"subscription": self.sub_name(name), "ack_ids": ids, "ack_deadline_seconds": seconds}
        self.subscriber.modify_ack_deadline(request=request, **CALL)


def texts(received: list[Any]) -> list[str]:
    """Return the data of messages as text."""
    return [m.message.data.decode() for m in received]


# -- an endpoint that is pushed to


@dataclass(frozen=True)
class Posted:
    """One request that an endpoint got."""

    path: str
    headers: dict[str, str]
    raw: bytes
    at: float
    connection: int

    @property
    def body(self) -> Any:
        """The JSON of the body."""
        return json.loads(self.raw)

    @property
    def text(self) -> str:
        """The message's data as text."""
        return base64.b64decode(self.body["message"]["data"]).decode()

    @property
    def id(self) -> str:
        """The message's id."""
        return str(self.body["message"]["messageId"])


class Endpoint:
    """An HTTP server that remembers what it got and answers as ``answer`` says (a status)."""

    def __init__(self, answer: Callable[[Posted], int] = lambda _: 204, port: int = 0) -> None:
        self.posted: list[Posted] = []
        self.answer = answer
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where to push to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def hold(self) -> threading.Event:
        """Answer nothing until the event is set."""
        gate, then = threading.Event(), self.answer

        def wait(posted: Posted) -> int:
            gate.wait(30)
            return then(posted)

        self.answer = wait
        return gate

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                posted = Posted(self.path, dict(self.headers), raw, time.monotonic(), self.client_address[1])
                endpoint.posted.append(posted)
                status = endpoint.answer(posted)
                with suppress(OSError):
                    self.send_response(status)
                    if status >= 200 and status != 204:
                        self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


def clean_environment() -> dict[str, str]:
    """Return the environment without anything that points at a Google project."""
    kept = ("PATH", "LANG", "TMPDIR")
    return {k: v for k, v in os.environ.items() if k in kept}
