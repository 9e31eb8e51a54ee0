"""A proxy in front of the BigQuery emulator that lets each job take as long as BigQuery would (``latency.yaml``)."""

import http.client
import json
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.chaos.answers import INSERTED
from tests.chaos.proxy import Answer, Forward, Proxy, is_insert, job_path

SECONDS: dict[str, float] = yaml.safe_load((Path(__file__).parent / "latency.yaml").read_text(encoding="utf-8"))
# `jobs.getQueryResults` answers when the query is done, at the latest after so long; `jobs.get` answers at once:
# https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/getQueryResults (timeoutMs)
RESULTS_SECONDS = 10.0
_CHANGES = {"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE_TABLE"}
_FREE = {"BEGIN_TRANSACTION", "COMMIT_TRANSACTION", "ROLLBACK_TRANSACTION"}


class SlowWarehouse(Proxy):
    """Answers that a job runs until its time is over. ``statements`` counts what ran, by type."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.statements = Counter[str]()
        self._begun: dict[str, float] = {}
        self._takes: dict[str, float] = {}

    def through(self, request: tuple[str, str], headers: Mapping[str, str], body: bytes, forward: Forward) -> Answer:
        """Forward a request, and keep its answer back for as long as BigQuery would."""
        method, path = request
        if is_insert(method, path):
            time.sleep(SECONDS["insert"])
            self.hold(path, dict(headers), body)
            return 200, {}, INSERTED
        found = job_path(path)
        answer = forward(body)
        if found is None or answer[0] != http.client.OK:
            return answer
        if method == "POST" and path.partition("?")[0].endswith("/jobs"):
            return self._began(answer)
        if method != "GET" or not found["job"]:
            return answer
        patience = RESULTS_SECONDS if "/queries/" in path else 0.0
        return self._answered(found["project"], found["job"], answer, patience)

    def hold_seconds(self) -> float:
        """Streamed rows are seen after this time."""
        return SECONDS["visible"]

    def _began(self, answer: Answer) -> Answer:
        job = json.loads(answer[2])
        self._begun[job["jobReference"]["jobId"]] = time.monotonic()
        return _changed(answer, job | {"status": {"state": "RUNNING"}})

    def _answered(self, project: str, job: str, answer: Answer, patience: float) -> Answer:
        said, began = json.loads(answer[2]), self._begun.get(job)
        ended = said.get("jobComplete", said.get("status", {}).get("state") == "DONE")
        if began is None or not ended:
            return answer
        if job not in self._takes:
            self._takes[job] = self._seconds(project, job)
        left = began + self._takes[job] - time.monotonic()
        time.sleep(min(max(left, 0), patience))
        if left <= patience:
            return answer
        if "jobComplete" in said:
            return _changed(answer, {"jobReference": said["jobReference"], "jobComplete": False})
        return _changed(answer, said | {"status": {"state": "RUNNING"}})

    def _seconds(self, project: str, job: str) -> float:
        """Return what a job takes: by the statements that it ran."""
        base = f"/bigquery/v2/projects/{project}/jobs"
        parts = self._ask(f"{base}?parentJobId={job}&projection=full&maxResults=1000").get("jobs", [])
        jobs = parts or [self._ask(f"{base}/{job}")]
        if "load" in jobs[0]["configuration"]:
            self.statements["LOAD"] += 1
            return SECONDS["load_job"]
        kinds = [j["statistics"].get("query", {}).get("statementType", "SELECT") for j in jobs]
        kinds = [kind for kind in kinds if kind not in _FREE]
        self.statements.update(kinds)
        each = [SECONDS["change"] if kind in _CHANGES else SECONDS["further_statement"] for kind in kinds]
        return sum(each) + SECONDS["query"] - SECONDS["further_statement"]

    def _ask(self, path: str) -> dict[str, Any]:
        connection = self.connect()
        try:
            connection.request("GET", path)
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found
        finally:
            connection.close()


def _changed(answer: Answer, body: Mapping[str, Any]) -> Answer:
    status, headers, _ = answer
    kept = {name: value for name, value in headers.items() if name.lower() != "content-encoding"}
    return status, kept, json.dumps(body).encode()
