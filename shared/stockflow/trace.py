"""The trace that all lines of one file share: from the request that brought it, along the events, to the last stage.

Kept in W3C form (``traceparent``). An event that an earlier stage published carries it as an attribute; the first
stage takes the one that Google's front end gives each request. A drain works on many loads, so it is kept by load.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextvars import ContextVar

from stockflow.events import CloudEventLike, attributes_of, load_of
from stockflow.identity import digest

ATTRIBUTE = "traceparent"
_CLOUD_HEADER = "X-Cloud-Trace-Context"
REMEMBERED = 10_000
_PARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_CLOUD = re.compile(r"(?!0{32})([0-9a-fA-F]{32})(?:/(\d{1,20}))?(?:;o=([01]))?")

_current: ContextVar[str | None] = ContextVar("traceparent", default=None)
_by_load: OrderedDict[str, str] = OrderedDict()
_lock = threading.Lock()


def start(event: CloudEventLike) -> None:
    """Find the trace of an event that is about to be handled: its own, its request's, else one named by its load."""
    attributes = attributes_of(event)
    load = load_of(attributes)
    found = from_attributes(attributes) or from_headers(_headers()) or (named_by(load) if load else None)
    _current.set(found)
    if load and found:
        _remember(load, found)


def from_attributes(attributes: Mapping[str, str]) -> str | None:
    """Return the trace that the stage before passed on."""
    carried = attributes.get(ATTRIBUTE, "")
    return carried if _PARENT.fullmatch(carried) else None


def from_headers(headers: Mapping[str, str]) -> str | None:
    """Return the trace of a request: ``traceparent``, else ``X-Cloud-Trace-Context`` (TRACE/SPAN;o=1)."""
    if found := from_attributes(headers):
        return found
    cloud = _CLOUD.fullmatch(headers.get(_CLOUD_HEADER, ""))
    if cloud is None:
        return None
    span = int(cloud[2] or 0) % 2**64 or 1
    return f"00-{cloud[1].lower()}-{span:016x}-0{cloud[3] or 0}"


def named_by(load: str) -> str:
    """Return the trace of a load that came without one (an embedded stack, an event sent by hand)."""
    return f"00-{digest(load, length=32)}-{digest('span', load, length=16)}-00"


def trace_of(load: str | None) -> str | None:
    """Return the trace id (32 hex digits) of a load, else of the call that is being handled."""
    parent = _parent(load)
    return parent.split("-")[1] if parent else None


def inject(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes of an event about to be published, with the trace of the load that it is about."""
    parent = from_attributes(attributes) or _parent(load_of(attributes))
    return {**attributes, ATTRIBUTE: parent} if parent else dict(attributes)


def _parent(load: str | None) -> str | None:
    with _lock:
        known = _by_load.get(load) if load else None
    return known or _current.get()


def _remember(load: str, parent: str) -> None:
    with _lock:
        _by_load[load] = parent
        _by_load.move_to_end(load)
        while len(_by_load) > REMEMBERED:
            _by_load.popitem(last=False)


def _headers() -> Mapping[str, str]:
    """The headers of the request that this thread answers; none outside of one."""
    from flask import has_request_context, request

    if not has_request_context():
        return {}
    return {name: request.headers.get(name, "") for name in (ATTRIBUTE, _CLOUD_HEADER)}
