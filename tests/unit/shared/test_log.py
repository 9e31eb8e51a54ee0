"""What a function says has Cloud Logging's own fields: severity, trace, labels; errors are Error Reporting's."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

SCRIPT = """
import base64, json, sys
from types import SimpleNamespace
from stockflow.boundary import handle_event
from stockflow.errors import PermanentError, TransientError
from stockflow.log import log

def work():
    log("INFO", "begun", fields={"rows": 3}, load_id="abc", feed="sales", stage="ingest")
    raise {error}

attributes = {"event_type": "load.ingested", "load_id": "abc", "traceparent": "00-%s-00f067aa0ba902b7-01"}
event = SimpleNamespace(data={"message": {"attributes": attributes}})
try:
    handle_event("validate", event, work)
    print("acknowledged")
except Exception:
    print("retry")
"""
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
REPORTED = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"


def run(error: str) -> tuple[str, list[dict[str, Any]]]:
    """Let a stage fail with ``error`` in a process of its own; return the answer and the lines it wrote."""
    environment = {**os.environ, "GOOGLE_CLOUD_PROJECT": "p", "K_SERVICE": "stockflow-validate", "K_REVISION": "r7"}
    script = SCRIPT.replace("{error}", error).replace("%s", TRACE)
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    return done.stdout.strip(), [line for line in lines if "message" in line]


@pytest.mark.parametrize(
    ("error", "answer", "severity"),
    [
        ('PermanentError("no_header", "no header")', "acknowledged", "ERROR"),
        ('TransientError("load_failed", "quota")', "retry", "WARNING"),
        ('ValueError("a bug")', "retry", "ERROR"),
    ],
)
def test_severity_trace_and_labels(error: str, answer: str, severity: str) -> None:
    """A retry is a warning; what a person must look at is an error; all lines share trace and load."""
    answered, (begun, failed) = run(error)
    assert (answered, begun["severity"], failed["severity"]) == (answer, "INFO", severity)
    for line in (begun, failed):
        assert line["logging.googleapis.com/trace"] == f"projects/p/traces/{TRACE}"
        assert line["logging.googleapis.com/labels"]["load_id"] == "abc"
    assert begun["rows"] == 3


def test_an_error_is_one_for_error_reporting() -> None:
    """It has the type, the service and the stack that errors are grouped by; other lines have none of it."""
    _, (begun, failed) = run('ValueError("a bug")')
    assert failed["@type"] == REPORTED
    assert failed["serviceContext"] == {"service": "stockflow-validate", "version": "r7"}
    assert failed["message"].startswith("unexpected ValueError: a bug\nTraceback")
    assert "@type" not in begun
    assert "@type" not in run('TransientError("load_failed", "quota")')[1][1]
