"""What Google's services say when they fail: bodies of answers, word for word where a client reads them."""

import json
from typing import Any

_TEXTS = {
    "410": (410, "sessionGone", "The upload session is gone: start over"),
    "429": (429, "rateLimitExceeded", "The rate of requests is too high"),
    "500": (500, "internalError", "An internal error occurred and the request could not be completed"),
    "503": (503, "backendError", "Service Unavailable"),
    "rateLimitExceeded": (403, "rateLimitExceeded", "Exceeded rate limits: too many table update operations"),
    "quotaExceeded": (
        403,
        "quotaExceeded",
        "Quota exceeded: Your table exceeded quota for imports or query appends per table. For more information, see "
        "https://cloud.google.com/bigquery/docs/troubleshoot-quotas",
    ),
}
INSERTED = json.dumps({"kind": "bigquery#tableDataInsertAllResponse"}).encode()


def refusal(kind: str) -> tuple[int, bytes]:
    """Return the status and the body of a request that fails like that."""
    status, reason, message = _TEXTS[kind]
    errors = [{"message": message, "domain": "global", "reason": reason}]
    return status, json.dumps({"error": {"code": status, "message": message, "errors": errors}}).encode()


def failed_job(asked: dict[str, Any], project: str) -> dict[str, Any]:
    """Return a job that is DONE with an error: nothing of it was done."""
    reference = {"projectId": project, "location": "EU", "jobId": "failed", **asked.get("jobReference", {})}
    error = {"reason": "backendError", "message": "The job encountered an internal error during execution"}
    times = {"creationTime": "1700000000000", "startTime": "1700000000001", "endTime": "1700000000002"}
    kind = "LOAD" if "load" in asked.get("configuration", {}) else "QUERY"
    return {
        "kind": "bigquery#job",
        "id": f"{project}:EU.{reference['jobId']}",
        "jobReference": reference,
        "configuration": {"jobType": kind, **asked.get("configuration", {})},
        "status": {"state": "DONE", "errorResult": error, "errors": [error]},
        "statistics": times,
    }
