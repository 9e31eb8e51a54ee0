"""StreamingPull: messages out while acknowledgements and deadlines come in on the same stream."""

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

from local.pubsub import limits
from local.pubsub.catalog import Catalog, Sub
from local.pubsub.clock import Clock
from local.pubsub.errors import ServiceError, invalid
from local.pubsub.leases import Leased, Queue
from local.pubsub.signals import Signals
from local.pubsub.subscriber import nap, received
from local.pubsub.wire import StreamingPullResponse

_BATCH = 1_000
_BATCH_BYTES = 10_000_000
_UNLIMITED = 1 << 40


class Stream:
    """One stream: what it has leased and not given back counts against its flow control."""

    def __init__(self, catalog: Catalog, queue: Queue, first: Any) -> None:
        self._catalog, self._queue = catalog, queue
        self.name = str(first.subscription)
        catalog.pulled(self.name)
        limits.check_range("stream_ack_deadline_seconds", first.stream_ack_deadline_seconds, 10, 600)
        self._seconds = int(first.stream_ack_deadline_seconds)
        self._max_messages = first.max_outstanding_messages if first.max_outstanding_messages > 0 else _UNLIMITED
        self._max_bytes = first.max_outstanding_bytes if first.max_outstanding_bytes > 0 else _UNLIMITED
        self._held: dict[str, int] = {}
        self._answers: deque[Any] = deque()
        self._lock = threading.Lock()
        self._apply(first)

    def take(self, request: Any) -> None:
        """Apply the acknowledgements and deadlines of a request that is not the first."""
        if request.subscription:
            raise invalid("The subscription must only be given in the first request of a stream.")
        if request.max_outstanding_messages or request.max_outstanding_bytes:
            raise invalid("Flow control must only be set in the first request of a stream.")
        if request.stream_ack_deadline_seconds:
            limits.check_range("stream_ack_deadline_seconds", request.stream_ack_deadline_seconds, 10, 600)
            self._seconds = int(request.stream_ack_deadline_seconds)
        self._apply(request)

    def _apply(self, request: Any) -> None:
        if len(request.modify_deadline_ack_ids) != len(request.modify_deadline_seconds):
            raise invalid("modify_deadline_ack_ids and modify_deadline_seconds must have the same length.")
        sub = self._catalog.pulled(self.name)
        acks, moved = list(request.ack_ids), list(request.modify_deadline_ack_ids)
        deadlines = list(zip(moved, request.modify_deadline_seconds, strict=True))
        for _, seconds in deadlines:
            limits.check_range("modify_deadline_seconds", seconds, 0, 600)
        stale = self._queue.acknowledge(sub, acks) if acks else []
        missed = self._queue.modify(sub, deadlines) if deadlines else []
        with self._lock:
            for ack_id in [*acks, *(a for a, seconds in deadlines if not seconds)]:
                self._held.pop(ack_id, None)
            if sub.pb.enable_exactly_once_delivery:
                self._answers.extend(_confirmations(acks, set(stale), moved, set(missed)))

    def give(self) -> Any:
        """Return what is to be sent now, or None: a confirmation, or what flow control lets through."""
        with self._lock:
            if self._answers:
                return self._answers.popleft()
        sub = self._catalog.pulled(self.name)
        leased = self._lease(sub)
        if not leased:
            return None
        if min(self._max_messages, self._max_bytes) < _UNLIMITED:
            with self._lock:
                self._held |= {m.ack_id: m.size for m in leased}
        return StreamingPullResponse(
            received_messages=[received(sub, m) for m in leased], subscription_properties=_properties(sub)
        )

    def _lease(self, sub: Sub) -> list[Leased]:
        """Lease what flow control lets through: a message larger than the room goes alone, when nothing is held."""
        leased = self._fitting(sub)
        if leased or not self._held:
            return leased
        with self._lock:  # the client may have settled by unary calls
            held = self._queue.still_held(sub, self._held)
            settled = len(held) < len(self._held)
            self._held = {ack_id: size for ack_id, size in self._held.items() if ack_id in held}
        return self._fitting(sub) if settled else []

    def _fitting(self, sub: Sub) -> list[Leased]:
        with self._lock:
            count, room = self._free()
            strict = bool(self._held)
        if count <= 0 or room <= 0:
            return []
        return self._queue.lease(sub, min(count, _BATCH), self._seconds, min(room, _BATCH_BYTES), strict=strict)

    def _free(self) -> tuple[int, int]:
        return self._max_messages - len(self._held), self._max_bytes - sum(self._held.values())

    def next_change(self) -> float | None:
        """Return when time alone will make something due."""
        sub = self._catalog.get(self.name)
        return None if sub is None else self._queue.next_change(sub)


def _properties(sub: Sub) -> Any:
    return StreamingPullResponse.SubscriptionProperties(
        exactly_once_delivery_enabled=sub.pb.enable_exactly_once_delivery,
        message_ordering_enabled=sub.pb.enable_message_ordering,
    )


def _confirmations(acks: list[str], stale: set[str], moved: list[str], missed: set[str]) -> Iterator[Any]:
    if acks:
        confirmed = StreamingPullResponse.AcknowledgeConfirmation(
            ack_ids=[a for a in acks if a not in stale], invalid_ack_ids=sorted(stale)
        )
        yield StreamingPullResponse(acknowledge_confirmation=confirmed)
    if moved:
        extended = StreamingPullResponse.ModifyAckDeadlineConfirmation(
            ack_ids=[a for a in moved if a not in missed], invalid_ack_ids=sorted(missed)
        )
        yield StreamingPullResponse(modify_ack_deadline_confirmation=extended)


def streaming_pull(
    catalog: Catalog, queue: Queue, signals: Signals, clock: Clock, requests: Iterator[Any], context: Any
) -> Iterator[Any]:
    """Serve one stream until either side ends it. Its leases stay: the client may acknowledge on its next stream."""
    stream = Stream(catalog, queue, next(requests))
    rung, ended, failed = threading.Event(), threading.Event(), deque[ServiceError]()

    def read() -> None:
        try:
            for request in requests:
                stream.take(request)
                rung.set()
        except ServiceError as error:
            failed.append(error)
        except Exception:
            ended.set()
        rung.set()

    def end() -> None:
        ended.set()
        rung.set()

    context.add_callback(end)
    stop = signals.listen(catalog.pulled(stream.name).number, rung.set)
    threading.Thread(target=read, daemon=True).start()
    try:
        while not ended.is_set() and not failed:
            rung.clear()
            response = stream.give()
            if response is not None:
                yield response
            else:
                rung.wait(nap(stream.next_change(), clock))
        if failed:
            raise failed[0]
    finally:
        stop()
