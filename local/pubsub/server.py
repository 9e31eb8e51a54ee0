"""Wires the parts and serves them over gRPC."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from local.pubsub.catalog import Catalog
from local.pubsub.clock import Clock, wall
from local.pubsub.errors import ServiceError, StaleAckIdsError
from local.pubsub.leases import Queue
from local.pubsub.publisher import Publisher
from local.pubsub.push import Pushers
from local.pubsub.retention import tidy
from local.pubsub.signals import Signals
from local.pubsub.snapshots import Snapshots
from local.pubsub.store import Store
from local.pubsub.streaming import streaming_pull
from local.pubsub.subscriber import Subscriber
from local.pubsub.wire import PUBLISHER, SUBSCRIBER, snake

_OPTIONS = [
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", 64 << 20),
    ("grpc.so_reuseport", 0),
]
_THREADS = 256
_BEAT_SECONDS = 1.0
_TIDY_BEATS = 10
_log = logging.getLogger("pubsub")


class Emulator:
    """One running Pub/Sub, its state in ``folder``."""

    def __init__(self, folder: Path, clock: Clock = wall, push_outstanding: int = 100) -> None:
        self.store, self.signals, self.clock = Store(folder), Signals(), clock
        self.catalog = Catalog(self.store, self.signals)
        self.queue = Queue(self.store, self.catalog, self.signals, clock)
        self.queue.forget_pushes()
        snapshots = Snapshots(self.store, self.catalog, self.signals, clock)
        self.publisher = Publisher(self.store, self.catalog, self.queue, snapshots)
        self.subscriber = Subscriber(self.store, self.catalog, self.queue, snapshots)
        self._pushers = Pushers(self.catalog, self.queue, self.signals, clock, push_outstanding)
        self._grpc = grpc.server(ThreadPoolExecutor(_THREADS), options=_OPTIONS)
        self._grpc.add_generic_rpc_handlers((
            grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", self._handlers(PUBLISHER)),
            grpc.method_handlers_generic_handler("google.pubsub.v1.Subscriber", self._handlers(SUBSCRIBER)),
        ))  # fmt: skip
        self._stopped = threading.Event()
        self._housekeeper = threading.Thread(target=self._keep_house, daemon=True, name="tidy")

    def call(self, rpc: str, request: Any, alive: Callable[[], bool] = lambda: True) -> Any:
        """Return the answer of one unary method.

        Raises:
            ServiceError: the request was refused.
        """
        if rpc == "Pull":
            return self.subscriber.pull(request, self.signals, self.clock, alive)
        service = self.publisher if rpc in PUBLISHER else self.subscriber
        return getattr(service, snake(rpc))(request)

    def _handlers(self, requests: dict[str, Any]) -> dict[str, Any]:
        return {rpc: self._handler(rpc, request) for rpc, request in requests.items()}

    def _handler(self, rpc: str, request: Any) -> Any:
        def unary(message: Any, context: Any) -> Any:
            try:
                return self.call(rpc, message, context.is_active)
            except ServiceError as error:
                _refuse(context, error)

        def stream(messages: Iterator[Any], context: Any) -> Iterator[Any]:
            try:
                yield from streaming_pull(self.catalog, self.queue, self.signals, self.clock, messages, context)
            except ServiceError as error:
                _refuse(context, error)

        kind = grpc.stream_stream_rpc_method_handler if rpc == "StreamingPull" else grpc.unary_unary_rpc_method_handler
        behaviour = stream if rpc == "StreamingPull" else unary
        return kind(behaviour, request.FromString, lambda answer: answer.SerializeToString())

    def start(self, host: str, port: int) -> int:
        """Listen; return the port (0 chooses a free one)."""
        try:
            bound = int(self._grpc.add_insecure_port(f"{host}:{port}"))
        except RuntimeError as error:
            raise OSError(f"{host}:{port} cannot be listened on: {error}") from error
        self._grpc.start()
        self._pushers.start()
        self._housekeeper.start()
        return bound

    def tidy(self) -> None:
        """Forget what is older than its retention."""
        tidy(self.store, self.catalog, self.clock)

    def _keep_house(self) -> None:
        beats = 0
        while not self._stopped.wait(_BEAT_SECONDS):
            beats += 1
            try:
                self.queue.bury_the_expired()
                if beats % _TIDY_BEATS == 0:
                    self.tidy()
            except Exception:
                _log.exception("housekeeping failed, it is tried again")

    def stop(self) -> None:
        """Stop taking calls, then close the file."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._grpc.stop(0.5).wait()
        self._pushers.stop()
        self._housekeeper.join(5)
        self.store.sync()
        self.store.close()


def _refuse(context: Any, error: ServiceError) -> NoReturn:
    if isinstance(error, StaleAckIdsError):
        info = error_details_pb2.ErrorInfo(
            reason="EXACTLY_ONCE_ACKID_FAILURE",
            domain="pubsub.googleapis.com",
            metadata=dict.fromkeys(error.ack_ids, "PERMANENT_FAILURE_INVALID_ACK_ID"),
        )
        detail = any_pb2.Any()
        detail.Pack(info)
        status = status_pb2.Status(code=code_pb2.FAILED_PRECONDITION, message=error.message, details=[detail])
        context.abort_with_status(rpc_status.to_status(status))
    context.abort(error.code, error.message)
    raise AssertionError("abort raises")
