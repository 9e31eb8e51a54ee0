"""How fast messages are pushed: ``python -m tests.pubsub.bench_push [MESSAGES]`` prints the figures."""

import asyncio
import multiprocessing
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.pubsub.support import World, served

_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


def main(count: int = 5_000) -> None:
    """Publish, push all to an endpoint that does nothing, and print how long that took."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as emulator, _Sink() as sink:
        world = World(emulator.host)
        world.topic()
        world.sub(push_config={"push_endpoint": sink.url}, ack_deadline_seconds=60)
        started = time.monotonic()
        for first in range(0, count, 500):
            world.publish(
                *({"data": b"x" * 1000, "attributes": {"n": str(n)}} for n in range(first, min(first + 500, count)))
            )
        published = time.monotonic() - started
        received = sink.wait(count)
        seconds = time.monotonic() - started
        world.close()
    print(f"push: {count} messages of 1 kB published in {published:.1f} s, delivered in {seconds:.1f} s "
          f"({count / seconds:.0f}/s), {received} requests on {sink.connections} connections")  # fmt: skip


class _Sink:
    """An endpoint in a process of its own that answers 204 at once and counts."""

    def __enter__(self) -> "_Sink":
        self._pipe, far = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_serve, args=(far,), daemon=True)
        self._process.start()
        self.url = f"http://127.0.0.1:{self._pipe.recv()}/"
        self.connections = 0
        return self

    def __exit__(self, *_: Any) -> None:
        self._process.kill()
        self._process.join()

    def wait(self, count: int) -> int:
        """Return how many requests came when there were ``count``."""
        while True:
            self._pipe.send(None)
            received, self.connections = self._pipe.recv()
            if received >= count:
                return int(received)
            time.sleep(0.02)


def _serve(pipe: Connection) -> None:
    counts = [0, 0]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        counts[1] += 1
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                return writer.close()
            length = next(
                int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length")
            )
            await reader.readexactly(length)
            counts[0] += 1
            writer.write(_ANSWER)

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        loop = asyncio.get_running_loop()
        loop.add_reader(pipe.fileno(), lambda: (pipe.recv(), pipe.send(tuple(counts))))
        await server.serve_forever()

    asyncio.run(run())


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:]))
