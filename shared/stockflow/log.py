"""Structured logs: one JSON object a line, in Cloud Logging's own fields. Never a row's content."""

import logging
import os
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any

_trace: ContextVar[str | None] = ContextVar("trace", default=None)


@cache
def _logger() -> logging.Logger:
    from stockflow.gcp.logs import structured_logger

    return structured_logger("stockflow", os.environ.get("GOOGLE_CLOUD_PROJECT", ""))


def set_trace(trace: str | None) -> None:
    """Set the Cloud Trace resource name (``projects/P/traces/T``) of what this call logs from now on."""
    _trace.set(trace)


def log(severity: str, message: str, *, fields: Mapping[str, Any] | None = None, **labels: object) -> None:
    """Write one line.

    ``severity`` is INFO, WARNING or ERROR; ``labels`` (load_id, feed, stage, ...) are what people
    search by; ``fields`` are numbers that log-based metrics read (``jsonPayload.rows``). Within an
    ``except`` block an ERROR carries the stack, which is what Error Reporting groups by.
    """
    extra: dict[str, Any] = {
        "labels": {k: str(v) for k, v in labels.items() if v is not None},
        "json_fields": dict(fields or {}),
    }
    if trace := _trace.get():
        extra["trace"] = trace
    _logger().log(
        getattr(logging, severity),
        message,
        extra=extra,
        exc_info=severity == "ERROR" and sys.exc_info()[0] is not None,
    )
