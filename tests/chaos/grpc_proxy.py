"""A gRPC proxy in front of the Pub/Sub emulator (or the Storage Write API) that makes faults; it reads no message."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from tests.chaos.faults import PUBLISHING, Faults

STREAMS = ("AppendRows", "StreamingPull")
_CODES = {"resource_exhausted": grpc.StatusCode.RESOURCE_EXHAUSTED}


class _Forward(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, channel: grpc.Channel, faults: Faults) -> None:
        self._channel, self._faults = channel, faults

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """Return what answers this method: bytes in, bytes out."""
        if details.method.rsplit("/", 1)[-1] in STREAMS:
            return grpc.stream_stream_rpc_method_handler(self._stream(details.method))
        return grpc.unary_unary_rpc_method_handler(self._once(details.method))

    def _stream(self, method: str) -> Callable[..., Iterator[bytes]]:
        call: Any = self._channel.stream_stream(method)
        return lambda requests, context: call(requests, metadata=_metadata(context))

    def _once(self, method: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        call: Any = self._channel.unary_unary(method)

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            fault = self._faults.choose(PUBLISHING) if method.endswith("/Publish") else None
            if fault in (None, "accepted_then_unavailable"):
                answered: bytes = _call(call, request, context)
            if fault:
                context.abort(_CODES.get(fault, grpc.StatusCode.UNAVAILABLE), f"a fault on purpose: {fault}")
            return answered

        return answer


def _call(call: Any, request: bytes, context: grpc.ServicerContext) -> Any:
    try:
        return call(request, metadata=_metadata(context), timeout=60)
    except grpc.RpcError as error:
        context.abort(error.code(), error.details() or "")


def _metadata(context: grpc.ServicerContext) -> list[tuple[str, str | bytes]]:
    return [(k, v) for k, v in context.invocation_metadata() if k.startswith("x-goog-request")]


@contextmanager
def grpc_proxy(upstream: str, faults: Faults) -> Iterator[str]:
    """Serve in front of ``host:port``; yield the proxy's own ``host:port``."""
    with grpc.insecure_channel(upstream) as channel:
        server = grpc.server(ThreadPoolExecutor(64), handlers=[_Forward(channel, faults)])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(1).wait()
