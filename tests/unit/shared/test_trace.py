"""One file, one trace: taken from the request, carried by the events, kept apart load by load."""

import base64
from types import SimpleNamespace
from typing import Any

import pytest

from stockflow import trace
from stockflow.events import StageEvent, announcement, encode, object_from_resource

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


def event(load: str, **attributes: str) -> Any:
    """A push of a stage event, as functions-framework hands it on."""
    data, own = encode(StageEvent("load.ingested", "sales", load))
    message = {"data": base64.b64encode(data).decode(), "attributes": {**own, **attributes}}
    return SimpleNamespace(data={"message": message})


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"traceparent": PARENT}, PARENT),
        ({"X-Cloud-Trace-Context": f"{TRACE}/1311768467463790321;o=1"}, f"00-{TRACE}-123456789abcdef1-01"),
        ({"X-Cloud-Trace-Context": TRACE.upper()}, f"00-{TRACE}-0000000000000001-00"),
        ({"traceparent": PARENT, "X-Cloud-Trace-Context": "f" * 32}, PARENT),
        ({"traceparent": f"00-{'0' * 32}-{SPAN}-01"}, None),
        ({"traceparent": "anything", "X-Cloud-Trace-Context": "anything/1"}, None),
        ({}, None),
    ],
)
def test_the_trace_of_a_request(headers: dict[str, str], expected: str | None) -> None:
    """Both headers of Google's front end are read; what is neither is no trace."""
    assert trace.from_headers(headers) == expected


def test_what_is_published_for_a_load_carries_its_trace() -> None:
    """Given an event with a trace, what its stage publishes carries the same, so the next stage shares it."""
    trace.start(event("load-a", traceparent=PARENT))
    _, attributes = encode(StageEvent("load.validated", "sales", "load-a"))
    assert trace.inject(attributes) == {**attributes, "traceparent": PARENT}
    assert trace.trace_of("load-a") == TRACE


def test_a_drain_keeps_the_traces_of_its_loads_apart() -> None:
    """Given calls for two loads, what one call does for the other's load belongs to the other's trace."""
    other = PARENT.replace("4bf9", "aaaa")
    trace.start(event("load-b", traceparent=other))
    trace.start(event("load-a", traceparent=PARENT))
    _, attributes = encode(StageEvent("load.transformed", "sales", "load-b"))
    assert trace.inject(attributes)["traceparent"] == other
    assert trace.trace_of("load-b") == other.split("-")[1]


def test_a_load_without_a_trace_is_named_by_itself() -> None:
    """An event sent by hand, or a stack without a front end: every stage derives the same trace."""
    trace.start(event("load-c"))
    first = trace.trace_of("load-c")
    trace.start(event("load-c"))
    assert first == trace.trace_of("load-c") != trace.named_by("load-d").split("-")[1]


def test_a_notification_and_the_events_after_it_are_one_load() -> None:
    """The object's generation in a notification names the same load as the stage events that follow."""
    ref = object_from_resource({"bucket": "b", "name": "sales/x.csv", "generation": "1760000000000000"})
    message = {"attributes": {**announcement(ref)[1], "traceparent": PARENT}}
    trace.start(SimpleNamespace(data={"message": message}))
    assert trace.trace_of(ref.load_id) == TRACE


def test_old_loads_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance that lives for weeks does not grow with every file."""
    monkeypatch.setattr(trace, "REMEMBERED", 2)
    for number in range(4):
        trace.start(event(f"many-{number}", traceparent=f"00-{number + 1:032x}-{SPAN}-01"))
    assert trace.trace_of("many-3") == f"{4:032x}"
    assert trace.trace_of("many-0") == f"{4:032x}"  # no longer known: the call's own
