"""Structured logs: one JSON object a line, in Cloud Logging's own fields. Never a row's content."""

import logging
import os
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from stockflow.trace import trace_of

# What makes Error Reporting take a line as an error, also one without a stack.
_REPORTED = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"


@cache
def _logger() -> logging.Logger:
    from stockflow.gcp.logs import structured_logger

    return structured_logger("stockflow", os.environ.get("GOOGLE_CLOUD_PROJECT", ""))


def log(severity: str, message: str, *, fields: Mapping[str, Any] | None = None, **labels: object) -> None:
    """Write one line.

    ``severity`` is INFO, WARNING or ERROR; ``labels`` (load_id, feed, stage, ...) are what people
    search by; ``fields`` are numbers that log-based metrics read (``jsonPayload.rows``). Within an
    ``except`` block an ERROR carries the stack, which is what Error Reporting groups by. The line
    belongs to the trace of its ``load_id``, else to that of the call.
    """
    load = labels.get("load_id")
    extra: dict[str, Any] = {
        "labels": {k: str(v) for k, v in labels.items() if v is not None},
        "json_fields": {**(fields or {}), **(_error_fields() if severity == "ERROR" else {})},
    }
    if trace := trace_of(str(load) if load else None):
        extra["trace"] = f"projects/{os.environ.get('GOOGLE_CLOUD_PROJECT', '')}/traces/{trace}"
    _logger().log(
        getattr(logging, severity),
        message,
        extra=extra,
        exc_info=severity == "ERROR" and sys.exc_info()[0] is not None,
    )


def _error_fields() -> dict[str, Any]:
    service = {"service": os.environ.get("K_SERVICE", "stockflow"), "version": os.environ.get("K_REVISION", "")}
    return {"@type": _REPORTED, "serviceContext": service}
