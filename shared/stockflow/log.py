"""Structured logs: one JSON object a line, in Cloud Logging's own fields. Never a row's content."""

import json
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

_trace: ContextVar[str | None] = ContextVar("trace", default=None)


def set_trace(trace: str | None) -> None:
    """Set the Cloud Trace resource name that the following lines of this call belong to."""
    _trace.set(trace)


def log(severity: str, message: str, **labels: object) -> None:
    """Write one line. ``labels`` (load_id, feed, stage, ...) become searchable labels."""
    entry: dict[str, object] = {
        "severity": severity,
        "message": message,
        "time": datetime.now(UTC).isoformat(),
        "logging.googleapis.com/labels": {k: str(v) for k, v in labels.items() if v is not None},
    }
    if trace := _trace.get():
        entry["logging.googleapis.com/trace"] = trace
    print(json.dumps(entry, ensure_ascii=False), file=sys.stderr, flush=True)
