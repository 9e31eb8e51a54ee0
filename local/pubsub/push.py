"""Push subscriptions: each message is one POST; a 2xx answer in time acknowledges it."""

import base64
import json
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import urllib3
from google.pubsub_v1 import types

from local.pubsub.admin import Admin
from local.pubsub.leases import Leased, Queue
from local.pubsub.store import Store

ACKNOWLEDGED = frozenset({102, 200, 201, 202, 204})
_HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": "CloudPubSub-Google",
    "Accept": "application/json",
}


def body(sub: types.Subscription, leased: Leased) -> bytes:
    """Return the body that the real service posts: the message wrapped, field names in both spellings."""
    when = datetime.fromtimestamp(leased.published, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = {
        "data": base64.b64encode(leased.data).decode(),
        "attributes": leased.attributes,
        "messageId": str(leased.message),
        "message_id": str(leased.message),
        "publishTime": when,
        "publish_time": when,
    }
    if leased.ordering_key:
        message["orderingKey"] = leased.ordering_key
    wrapped: dict[str, object] = {"message": message, "subscription": sub.name}
    if sub.dead_letter_policy.dead_letter_topic:
        wrapped["deliveryAttempt"] = leased.attempts
    return json.dumps(wrapped).encode()


class Pusher:
    """Delivers one subscription with a bounded number of requests under way."""

    def __init__(self, name: str, admin: Admin, queue: Queue, store: Store, outstanding: int) -> None:
        self._name, self._admin, self._queue, self._store = name, admin, queue, store
        self._room = threading.Semaphore(outstanding)
        self._outstanding = outstanding
        self._workers = ThreadPoolExecutor(outstanding, thread_name_prefix=name.rsplit("/", 1)[-1])
        self._http = urllib3.PoolManager(maxsize=outstanding, block=False, retries=False)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def start(self) -> None:
        """Begin delivering."""
        self._thread.start()

    def stop(self) -> None:
        """Stop leasing; requests under way end by themselves."""
        self._stopped.set()
        self._store.wake()
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _loop(self) -> None:
        while not self._stopped.is_set():
            try:
                if not self._step():
                    self._store.wait(0.1)
            except Exception as error:
                if not self._stopped.is_set():
                    print(f"push {self._name}: {error}", file=sys.stderr, flush=True)
                    self._stopped.wait(0.5)

    def _step(self) -> bool:
        self._room.acquire()
        self._room.release()
        number, sub = self._admin.attached(self._name)
        if not sub.push_config.push_endpoint:
            return False
        free = min(self._room._value, 50)
        leased = self._queue.lease(number, sub, max(free, 1))
        for message in leased:
            self._room.acquire()
            self._workers.submit(self._deliver, number, sub, message)
        return bool(leased)

    def _deliver(self, number: int, sub: types.Subscription, leased: Leased) -> None:
        try:
            self._post(number, sub, leased)
        finally:
            self._room.release()

    def _post(self, number: int, sub: types.Subscription, leased: Leased) -> None:
        timeout = urllib3.Timeout(connect=5, read=sub.ack_deadline_seconds or 10)
        try:
            answer = self._http.request(
                "POST",
                sub.push_config.push_endpoint,
                body=body(sub, leased),
                headers=_HEADERS,
                timeout=timeout,
            )
            status = answer.status
        except urllib3.exceptions.HTTPError as error:
            status = 0
            print(f"push {self._name}: message {leased.message}: {error}", file=sys.stderr, flush=True)
        if status in ACKNOWLEDGED:
            self._queue.acknowledge(number, sub, [leased.ack_id])
        else:
            self._queue.modify(number, sub, [leased.ack_id], 0)


class Pushers:
    """One pusher for each push subscription; follows what is created, changed and deleted."""

    def __init__(self, make: Callable[[str], Pusher], store: Store) -> None:
        self._make, self._store = make, store
        self._running: dict[str, Pusher] = {}

    def follow(self) -> None:
        """Start and stop pushers so that they match the subscriptions."""
        rows = self._store.all("SELECT proto FROM subscriptions")
        subs = [types.Subscription.deserialize(r[0]) for r in rows]
        wanted = {s.name for s in subs if s.push_config.push_endpoint and not s.detached}
        for name in wanted - self._running.keys():
            self._running[name] = self._make(name)
            self._running[name].start()
        for name in self._running.keys() - wanted:
            self._running.pop(name).stop()

    def stop(self) -> None:
        """Stop all."""
        for pusher in self._running.values():
            pusher.stop()
        self._running.clear()
