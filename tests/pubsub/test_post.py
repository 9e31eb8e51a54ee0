"""The HTTP client that pushes: kept connections, odd answers, one limit for the whole exchange."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from local.pubsub.post import Poster, PostError

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def request(reader: asyncio.StreamReader) -> bytes:
    """Read one request; return its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    return await reader.readexactly(length)


def answering(*answers: bytes) -> Script:
    """Answer each request of a connection with the next text, then close it."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await request(reader)
            writer.write(answer)
        await writer.drain()
        writer.close()

    return script


def exchange(script: Script, count: int = 1, seconds: float = 5) -> tuple[list[int], int]:
    """Post ``count`` times to a server that follows a script; return the statuses and how many connections came."""

    async def run() -> tuple[list[int], int]:
        connections = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            await script(reader, writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/path?q=1"
        poster = Poster()
        statuses = [await poster.post(url, b"body", {"X": "1"}, seconds) for _ in range(count)]
        poster.close()
        server.close()
        return statuses, connections

    coroutine: Coroutine[Any, Any, tuple[list[int], int]] = run()
    return asyncio.run(coroutine)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204\r\nX: y\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    ],
)
def test_a_connection_serves_many_requests(answer: bytes) -> None:
    """Three requests, one connection."""
    assert exchange(answering(answer, answer, answer), 3) == ([204, 204, 204], 1)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: 1\r\n\r\n",
    ],
)
def test_a_body_is_read_to_its_end(answer: bytes) -> None:
    """What follows it is the next answer."""
    assert exchange(answering(answer, answer), 2) == ([200, 200], 1)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 102 Processing\r\n\r\n",
    ],
)
def test_a_connection_that_cannot_serve_again_is_left(answer: bytes) -> None:
    """Two requests, two connections."""
    statuses, connections = exchange(answering(answer), 2)
    assert (len(set(statuses)), connections) == (1, 2)


def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    """The request goes out on a fresh one; the caller sees nothing of it."""
    assert exchange(answering(b"HTTP/1.1 204 No Content\r\n\r\n"), 3) == ([204, 204, 204], 3)


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"])
def test_no_answer_is_an_error(answer: bytes) -> None:
    """A broken or missing answer is never a success."""
    with pytest.raises(PostError):
        exchange(answering(answer))


def test_the_limit_of_time_is_for_the_whole_exchange() -> None:
    """A server that sends a byte now and then does not get more time for that."""

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)

    with pytest.raises(PostError, match=r"no answer within 0\.3 s"):
        exchange(trickle, seconds=0.3)


def test_a_header_cannot_break_out_of_its_line() -> None:
    """Attributes of a message become headers of a bare push."""
    seen: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def run() -> None:
        server = await asyncio.start_server(script, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        poster = Poster()
        await poster.post(url, b"", {"a\r\nEvil": "1\r\nEvil: 2"}, 5)
        poster.close()
        server.close()

    asyncio.run(run())
    assert b"\r\nEvil" not in seen[0]
