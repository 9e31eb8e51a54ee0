"""Push subscriptions: each message is one POST; a 2xx answer in time acknowledges it. One thread for all of them."""

import asyncio
import logging
import threading

from local.pubsub.catalog import Catalog, Sub
from local.pubsub.clock import Clock
from local.pubsub.envelope import body, headers
from local.pubsub.leases import Leased, Queue
from local.pubsub.post import Poster, PostError
from local.pubsub.signals import CATALOG, Signals
from local.pubsub.subscriber import nap

ACKNOWLEDGED = frozenset({102, 200, 201, 202, 204})
_MARGIN = 5.0
_GATHER = 0.002
_log = logging.getLogger("pubsub.push")


class Line:
    """Delivers one subscription, with a bounded number of requests under way."""

    def __init__(self, name: str, pushers: "Pushers") -> None:
        self._name, self._shared = name, pushers
        self._rung = asyncio.Event()
        self._outcomes: list[tuple[str, bool]] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self, number: int) -> None:
        """Deliver until the subscription is gone or does not push any more."""
        loop, shared = asyncio.get_running_loop(), self._shared
        stop = shared.signals.listen(number, lambda: loop.call_soon_threadsafe(self._rung.set))
        try:
            while (sub := shared.catalog.get(self._name)) and sub.number == number and sub.pushes:
                self._rung.clear()
                if not self._step(sub):
                    await self._rest(nap(shared.queue.next_change(sub), shared.clock))
                await asyncio.sleep(_GATHER)
            if self._under_way:
                await asyncio.wait(self._under_way)
            self._record(shared.catalog.get(self._name))
        finally:
            stop()
            for task in self._under_way:
                task.cancel()

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            pass

    def _step(self, sub: Sub) -> bool:
        """Record what came back and send what is due; return whether anything went out."""
        self._record(sub)
        room = self._shared.outstanding - len(self._under_way)
        if room <= 0:
            return False
        seconds = sub.pb.ack_deadline_seconds + _MARGIN
        leased = self._shared.queue.lease(sub, room, seconds, one_per_key=True)
        for message in leased:
            task = asyncio.create_task(self._deliver(sub, message))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return bool(leased)

    def _record(self, sub: Sub | None) -> None:
        outcomes, self._outcomes = self._outcomes, []
        if outcomes and sub is not None:
            self._shared.queue.settle(sub, outcomes)

    async def _deliver(self, sub: Sub, leased: Leased) -> None:
        good, why = False, ""
        try:
            endpoint, seconds = sub.pb.push_config.push_endpoint, sub.pb.ack_deadline_seconds
            status = await self._shared.poster.post(endpoint, body(sub, leased), headers(sub, leased), seconds)
            good, why = status in ACKNOWLEDGED, f"HTTP {status}"
        except PostError as error:
            why = str(error)
        if not good:
            _log.warning("%s: message %s, attempt %s: %s", self._name, leased.id, leased.attempts, why)
        self._outcomes.append((leased.ack_id, good))
        self._rung.set()


class Pushers:
    """One line for each push subscription; follows what is created, changed and deleted."""

    def __init__(self, catalog: Catalog, queue: Queue, signals: Signals, clock: Clock, outstanding: int) -> None:
        self.catalog, self.queue, self.signals, self.clock = catalog, queue, signals, clock
        self.outstanding = outstanding
        self.poster = Poster()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True, name="push")
        self._lines: dict[tuple[str, int], asyncio.Task[None]] = {}

    def start(self) -> None:
        """Begin delivering."""
        self._thread.start()

    def stop(self) -> None:
        """Drop the requests under way (they are delivered again) and end."""
        self._loop.call_soon_threadsafe(self._main.cancel)
        self._thread.join(5)

    def _run(self) -> None:
        self._main = self._loop.create_task(self._follow())
        try:
            self._loop.run_until_complete(self._main)
        except asyncio.CancelledError:
            pass
        finally:
            self._loop.run_until_complete(self._end())
            self._loop.close()

    async def _end(self) -> None:
        for line in self._lines.values():
            line.cancel()
        await asyncio.gather(*self._lines.values(), return_exceptions=True)
        self.poster.close()

    async def _follow(self) -> None:
        changed = asyncio.Event()
        self.signals.listen(CATALOG, lambda: self._ring(changed))
        while True:
            changed.clear()
            for sub in self.catalog.subscriptions():
                key = (sub.name, sub.number)
                if sub.pushes and (key not in self._lines or self._lines[key].done()):
                    self._lines[key] = asyncio.create_task(self._guarded(sub))
            self._lines = {key: line for key, line in self._lines.items() if not line.done()}
            await changed.wait()

    def _ring(self, changed: asyncio.Event) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(changed.set)

    async def _guarded(self, sub: Sub) -> None:
        """A line that breaks is started again: nothing else delivers its messages."""
        while True:
            try:
                return await Line(sub.name, self).run(sub.number)
            except Exception:
                _log.exception("%s: delivery broke, it goes on in a second", sub.name)
                await asyncio.sleep(1)
