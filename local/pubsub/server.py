"""Wires the parts and serves them over gRPC."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.pubsub_v1 import types
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from local.pubsub.admin import Admin
from local.pubsub.api import Publisher, StaleAckIdsError, Subscriber
from local.pubsub.clock import Clock, wall
from local.pubsub.errors import ServiceError
from local.pubsub.leases import Queue
from local.pubsub.push import Pusher, Pushers
from local.pubsub.store import Store
from local.pubsub.streaming import streaming_pull

_OPTIONS = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]
PUBLISHER = {
    "CreateTopic": types.Topic, "UpdateTopic": types.UpdateTopicRequest, "Publish": types.PublishRequest,
    "GetTopic": types.GetTopicRequest, "ListTopics": types.ListTopicsRequest,
    "ListTopicSubscriptions": types.ListTopicSubscriptionsRequest,
    "ListTopicSnapshots": types.ListTopicSnapshotsRequest, "DeleteTopic": types.DeleteTopicRequest,
    "DetachSubscription": types.DetachSubscriptionRequest,
}  # fmt: skip
SUBSCRIBER = {
    "CreateSubscription": types.Subscription, "GetSubscription": types.GetSubscriptionRequest,
    "UpdateSubscription": types.UpdateSubscriptionRequest, "ListSubscriptions": types.ListSubscriptionsRequest,
    "DeleteSubscription": types.DeleteSubscriptionRequest, "ModifyAckDeadline": types.ModifyAckDeadlineRequest,
    "Acknowledge": types.AcknowledgeRequest, "Pull": types.PullRequest,
    "ModifyPushConfig": types.ModifyPushConfigRequest, "GetSnapshot": types.GetSnapshotRequest,
    "ListSnapshots": types.ListSnapshotsRequest, "CreateSnapshot": types.CreateSnapshotRequest,
    "UpdateSnapshot": types.UpdateSnapshotRequest, "DeleteSnapshot": types.DeleteSnapshotRequest,
    "Seek": types.SeekRequest,
}  # fmt: skip


class Emulator:
    """One running Pub/Sub, its state in ``folder``."""

    def __init__(self, folder: Path, clock: Clock = wall, push_outstanding: int = 100) -> None:
        self.store = Store(folder)
        self.clock = clock
        self.admin = Admin(self.store, clock)
        self.queue = Queue(self.store, clock)
        self.publisher = Publisher(self.admin, self.queue)
        self.subscriber = Subscriber(self.admin, self.queue, self.store, clock)
        self.pushers = Pushers(
            lambda name: Pusher(name, self.admin, self.queue, self.store, push_outstanding), self.store
        )
        self._grpc = grpc.server(ThreadPoolExecutor(256), options=_OPTIONS)
        self._grpc.add_generic_rpc_handlers((
            grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", _handlers(self.publisher, PUBLISHER)),
            grpc.method_handlers_generic_handler("google.pubsub.v1.Subscriber", self._subscriber_handlers()),
        ))  # fmt: skip
        self._stopped = threading.Event()
        self._housekeeper = threading.Thread(target=self._keep_house, daemon=True)

    def _subscriber_handlers(self) -> dict[str, Any]:
        def stream(requests: Iterator[types.StreamingPullRequest], context: Any) -> Iterator[Any]:
            try:
                yield from streaming_pull(
                    self.admin, self.queue, self.store, requests, context, lambda e: _abort(context, e)
                )
            except ServiceError as error:
                _abort(context, error)

        handlers = _handlers(self.subscriber, SUBSCRIBER)
        handlers["StreamingPull"] = grpc.stream_stream_rpc_method_handler(
            stream,
            request_deserializer=types.StreamingPullRequest.deserialize,
            response_serializer=types.StreamingPullResponse.serialize,
        )
        return handlers

    def start(self, host: str, port: int) -> int:
        """Listen; return the port (0 chooses a free one)."""
        bound: int = self._grpc.add_insecure_port(f"{host}:{port}")
        if not bound:
            raise OSError(f"{host}:{port} is taken")
        self._grpc.start()
        self._housekeeper.start()
        return bound

    def _keep_house(self) -> None:
        beat = 0
        while not self._stopped.wait(0.1):
            self.pushers.follow()
            beat += 1
            if beat % 100 == 0:
                self.queue.expire()

    def stop(self) -> None:
        """Stop taking calls, then close the file."""
        self._stopped.set()
        self._housekeeper.join(5)
        self.pushers.stop()
        self._grpc.stop(0.5).wait()
        self.store.sync()
        self.store.close()


def _handlers(service: Any, requests: dict[str, Any]) -> dict[str, Any]:
    return {rpc: _unary(getattr(service, _snake(rpc)), request) for rpc, request in requests.items()}


def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


def _unary(method: Callable[[Any], Any], request: Any) -> Any:
    def call(message: Any, context: Any) -> Any:
        try:
            return method(message)
        except (ServiceError, StaleAckIdsError) as error:
            _abort(context, error)

    return grpc.unary_unary_rpc_method_handler(
        call, request_deserializer=request.deserialize, response_serializer=serialize
    )


def serialize(message: Any) -> bytes:
    """Return the wire form of a proto-plus or plain protobuf message."""
    if isinstance(message, empty_pb2.Empty):
        return message.SerializeToString()
    data: bytes = type(message).serialize(message)
    return data


def _abort(context: Any, error: Exception) -> None:
    if isinstance(error, StaleAckIdsError):
        info = error_details_pb2.ErrorInfo(
            reason="EXACTLY_ONCE_ACKID_FAILURE",
            domain="pubsub.googleapis.com",
            metadata=dict.fromkeys(error.ack_ids, "PERMANENT_FAILURE_INVALID_ACK_ID"),
        )
        detail = any_pb2.Any()
        detail.Pack(info)
        status = status_pb2.Status(code=code_pb2.FAILED_PRECONDITION, message=str(error), details=[detail])
        context.abort_with_status(rpc_status.to_status(status))
    elif isinstance(error, ServiceError):
        context.abort(error.code, error.message)
    else:
        context.abort(grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}")
