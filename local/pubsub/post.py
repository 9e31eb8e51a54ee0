"""POST over HTTP/1.1 with kept connections and one limit of time for the whole exchange (asyncio)."""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_ERRORS = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)


class PostError(Exception):
    """No answer: the text says why."""


class Poster:
    """Posts to any number of places; each keeps its idle connections for the next request."""

    def __init__(self) -> None:
        self._idle: defaultdict[tuple[str, str], list[Connection]] = defaultdict(list)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> int:
        """Return the status of the answer.

        Raises:
            PostError: there was none within ``seconds``.
        """
        place = urlsplit(url)
        request = _request(place, body, headers)
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(place, request)
        except TimeoutError:
            raise PostError(f"no answer within {seconds:g} s") from None
        except _ERRORS as error:
            raise PostError(f"{type(error).__name__}: {error}") from error

    async def _exchange(self, place: SplitResult, request: bytes) -> int:
        idle = self._idle[place.scheme, place.netloc]
        while idle:
            connection = idle.pop()
            if connection[0].at_eof():
                connection[1].close()
                continue
            try:
                return await self._send(idle, connection, request)
            except (ConnectionError, asyncio.IncompleteReadError):
                break  # closed by the other side while it lay idle: a fresh one decides
        return await self._send(idle, await _connect(place), request)

    async def _send(self, idle: list[Connection], connection: Connection, request: bytes) -> int:
        reader, writer = connection
        keep = False
        try:
            writer.write(request)
            await writer.drain()
            status, keep = await _answer(reader)
            return status
        finally:
            if keep:
                idle.append(connection)
            else:
                writer.close()

    def close(self) -> None:
        """Close the idle connections."""
        for connections in self._idle.values():
            while connections:
                connections.pop()[1].close()


async def _connect(place: SplitResult) -> Connection:
    secure = place.scheme == "https"
    port = place.port or (443 if secure else 80)
    context = ssl.create_default_context() if secure else None
    return await asyncio.open_connection(place.hostname, port, ssl=context)


def _request(place: SplitResult, body: bytes, headers: Mapping[str, str]) -> bytes:
    target = (place.path or "/") + (f"?{place.query}" if place.query else "")
    host = place.netloc.rsplit("@", 1)[-1]
    lines = [f"POST {target} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{_clean(name)}: {_clean(value)}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _clean(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Read one response; return its status and whether the connection can serve another."""
    version, status, fields = await _head(reader)
    while status == 100:
        version, status, fields = await _head(reader)
    if status < 200:
        return status, False  # 102 is an answer to Pub/Sub; what may follow it is of no interest
    keep = version == "HTTP/1.1" and fields.get("connection", "").lower() != "close"
    if status in (204, 304):
        return status, keep
    if "chunked" in fields.get("transfer-encoding", "").lower():
        await _skip_chunks(reader)
    elif "content-length" in fields:
        await _skip(reader, int(fields["content-length"]))
    else:
        return status, False
    return status, keep


async def _head(reader: asyncio.StreamReader) -> tuple[str, int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    version, status = lines[0].split(" ", 2)[:2]
    fields = dict(line.split(":", 1) for line in lines[1:] if ":" in line)
    return version, int(status), {name.strip().lower(): value.strip() for name, value in fields.items()}


async def _skip_chunks(reader: asyncio.StreamReader) -> None:
    while size := int((await reader.readuntil(b"\n")).split(b";")[0], 16):
        await _skip(reader, size + 2)
    while (await reader.readuntil(b"\n")).strip():
        pass


async def _skip(reader: asyncio.StreamReader, count: int) -> None:
    while count > 0:
        piece = await reader.read(min(count, 65536))
        if not piece:
            raise asyncio.IncompleteReadError(b"", count)
        count -= len(piece)
