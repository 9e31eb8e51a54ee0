"""What travels between a reader's own process and ours: chunks as Arrow streams, all else as JSON.

The other side read a stranger's file with native code: nothing that it says is trusted to be more than data.
"""

import json
from dataclasses import asdict
from typing import Any, BinaryIO

import pyarrow as pa

from functions.ingest.readers.model import Chunk, Reject


def send(out: BinaryIO, head: dict[str, Any], body: bytes | pa.Buffer = b"") -> None:
    """Write one message."""
    text = json.dumps({**head, "body": len(body)}).encode()
    out.write(len(text).to_bytes(4, "big") + text)
    out.write(body)
    out.flush()


def send_chunk(out: BinaryIO, chunk: Chunk) -> None:
    """Write a chunk."""
    body: bytes | pa.Buffer = b""
    if chunk.batch is not None:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, chunk.batch.schema) as writer:
            writer.write_batch(chunk.batch)
        body = sink.getvalue()
    send(out, {"kind": "chunk", "rejects": [asdict(r) for r in chunk.rejects]}, body)


def receive(source: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """Return the next message; None at the end, also when it came in the middle of one."""
    size = source.read(4)
    text = source.read(int.from_bytes(size, "big")) if len(size) == 4 else b""
    if not text or len(text) < int.from_bytes(size, "big"):
        return None
    head: dict[str, Any] = json.loads(text)
    body = source.read(head["body"]) if head["body"] else b""
    return (head, body) if len(body) == head["body"] else None


def chunk_of(head: dict[str, Any], body: bytes) -> Chunk:
    """Return a chunk that was received.

    Raises:
        pa.ArrowInvalid: when it is not one.
    """
    batch = None
    if body:
        batch = pa.ipc.open_stream(pa.py_buffer(body)).read_next_batch()
        batch.validate(full=True)
    return Chunk(batch, tuple(Reject(**r) for r in head["rejects"]))
