"""StreamingPull: messages out while acknowledgements and deadlines come in on the same stream."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

from google.pubsub_v1 import types

from local.pubsub.admin import Admin
from local.pubsub.api import received
from local.pubsub.leases import Queue
from local.pubsub.store import Store

_BATCH = 1_000


class Stream:
    """One stream: what it has leased and not given back counts against its flow control."""

    def __init__(self, admin: Admin, queue: Queue, store: Store, first: types.StreamingPullRequest) -> None:
        self.admin, self.queue, self.store = admin, queue, store
        self.name = first.subscription
        self.deadline = first.stream_ack_deadline_seconds
        self.max_messages = first.max_outstanding_messages or 10_000
        self.max_bytes = first.max_outstanding_bytes or 1 << 40
        self.held: dict[str, int] = {}
        self.answers: list[types.StreamingPullResponse] = []
        self.lock = threading.Lock()

    def take(self, request: types.StreamingPullRequest) -> None:
        """Apply the acknowledgements and deadlines of one request."""
        number, sub = self.admin.attached(self.name)
        self.deadline = request.stream_ack_deadline_seconds or self.deadline
        acks = list(request.ack_ids)
        stale = set(self.queue.acknowledge(number, sub, acks)) if acks else set()
        bad: set[str] = set()
        for ack_id, seconds in zip(request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True):
            bad |= set(self.queue.modify(number, sub, [ack_id], seconds))
            if seconds == 0:
                acks.append(ack_id)
        with self.lock:
            for ack_id in acks:
                self.held.pop(ack_id, None)
            if sub.enable_exactly_once_delivery:
                self._confirm(request, stale, bad)
        self.store.wake()

    def _confirm(self, request: types.StreamingPullRequest, stale: set[str], bad: set[str]) -> None:
        response = types.StreamingPullResponse
        if request.ack_ids:
            self.answers.append(response(acknowledge_confirmation=response.AcknowledgeConfirmation(
                ack_ids=[a for a in request.ack_ids if a not in stale], invalid_ack_ids=sorted(stale))))  # fmt: skip
        if request.modify_deadline_ack_ids:
            ids = request.modify_deadline_ack_ids
            self.answers.append(response(modify_ack_deadline_confirmation=response.ModifyAckDeadlineConfirmation(
                ack_ids=[a for a in ids if a not in bad], invalid_ack_ids=sorted(bad))))  # fmt: skip

    def give(self) -> types.StreamingPullResponse | None:
        """Return what is to be sent now: a confirmation, or as many messages as flow control allows."""
        with self.lock:
            if self.answers:
                return self.answers.pop(0)
        number, sub = self.admin.attached(self.name)
        room = self._room(number)
        if room <= 0:
            return None
        leased = self.queue.lease(number, sub, room, self.deadline)
        if not leased:
            return None
        with self.lock:
            self.held |= {m.ack_id: m.size for m in leased}
        return types.StreamingPullResponse(
            received_messages=[received(sub, m) for m in leased],
            subscription_properties=types.StreamingPullResponse.SubscriptionProperties(
                exactly_once_delivery_enabled=sub.enable_exactly_once_delivery,
                message_ordering_enabled=sub.enable_message_ordering,
            ),
        )

    def _room(self, number: int) -> int:
        """Return how many messages flow control allows; the client may have acknowledged by unary calls."""
        with self.lock:
            if len(self.held) >= self.max_messages or sum(self.held.values()) >= self.max_bytes:
                leased = self.queue.still_leased(number, self.held)
                self.held = {ack_id: size for ack_id, size in self.held.items() if ack_id in leased}
            if sum(self.held.values()) >= self.max_bytes:
                return 0
            return min(self.max_messages - len(self.held), _BATCH)

    def close(self) -> None:
        """Give back what was leased and not acknowledged: another subscriber gets it at once."""
        try:
            number, _ = self.admin.find(self.name)
        except Exception:
            return
        self.queue.release(number, list(self.held))


def streaming_pull(
    admin: Admin, queue: Queue, store: Store, requests: Iterator[types.StreamingPullRequest], context: Any,
    refuse: Callable[[Exception], None],
) -> Iterator[types.StreamingPullResponse]:  # fmt: skip
    """Serve one stream until either side ends it."""
    first = next(requests)
    admin.attached(first.subscription)
    stream = Stream(admin, queue, store, first)
    failed: list[Exception] = []

    def read() -> None:
        try:
            for request in requests:
                stream.take(request)
        except Exception as error:
            if context.is_active():
                failed.append(error)
        store.wake()

    threading.Thread(target=read, daemon=True).start()
    try:
        while context.is_active() and not failed:
            response = stream.give()
            if response is not None:
                yield response
            else:
                store.wait(0.1)
        if failed:
            refuse(failed[0])
    finally:
        stream.close()
