"""doctor --cloud: what Google's REST APIs answer becomes findings that say what to do."""

import re
from typing import Any

import pytest
from google.api_core import exceptions as api
from typer.testing import CliRunner

from cli.doctor import project
from cli.doctor.finding import Finding, looked_up
from cli.main import app
from cli.output import CommandError
from stockflow.settings import Settings

SETTINGS = Settings(project="p")
HEALTHY: dict[str, Any] = {
    "state": "ACTIVE",
    "serviceConfig": {
        "uri": "https://stockflow-kpi-abc.a.run.app", "availableMemory": "512Mi", "timeoutSeconds": 540,
        "maxInstanceCount": 1, "maxInstanceRequestConcurrency": 500, "ingressSettings": "ALLOW_INTERNAL_ONLY",
        "serviceAccountEmail": "stockflow-kpi@p.iam.gserviceaccount.com",
    },
}  # fmt: skip


def broken(findings: Any) -> list[Finding]:
    return [f for f in findings if not f.ok]


def enabled(url: str, without: str) -> dict[str, Any]:
    """Answer ``services:batchGet`` as Service Usage documents it."""
    names = re.findall(r"names=(projects/p/services/[\w.]+)", url)
    assert len(names) <= 20
    return {"services": [{"name": n, "state": "DISABLED" if n.endswith(without) else "ENABLED"} for n in names]}


@pytest.mark.parametrize("others", [0, 25])
def test_an_api_that_is_not_enabled_is_named_with_the_command(others: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of APIs is the one that Terraform enables; a question takes 20 of them."""
    wanted = [*project.required_apis(), *(f"other{n}.googleapis.com" for n in range(others))]
    monkeypatch.setattr(project, "required_apis", lambda: wanted)
    findings = list(project.apis(SETTINGS, lambda url, _: enabled(url, "bigquery.googleapis.com")))
    assert len(findings) == len(wanted) > 15
    assert [(f.check, f.found) for f in broken(findings)] == [("API bigquery.googleapis.com", "missing")]
    assert "gcloud services enable" in broken(findings)[0].fix


def test_a_function_as_described_is_healthy() -> None:
    """Every fact of pipeline.yaml is compared with what runs."""
    findings = list(project.function(SETTINGS, "kpi", lambda *_: HEALTHY))
    assert len(findings) == 7 and broken(findings) == []


@pytest.mark.parametrize(
    ("fact", "value", "check"),
    [("maxInstanceCount", 100, "instances"), ("ingressSettings", "ALLOW_ALL", "ingress")],
)
def test_a_function_that_was_changed_by_hand_is_found(fact: str, value: object, check: str) -> None:
    """Two instances of a single-flight function, or a public one: both work, neither is right."""
    changed = {**HEALTHY, "serviceConfig": {**HEALTHY["serviceConfig"], fact: value}}
    assert [f.check for f in broken(project.function(SETTINGS, "kpi", lambda *_: changed))] == [
        f"function kpi: {check}"
    ]


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (api.NotFound("no such function"), "not found"),
        (api.Forbidden("cloudfunctions.functions.get denied"), "cloudfunctions.functions.get denied"),
        (api.ServiceUnavailable("try later"), "ServiceUnavailable: 503 try later"),
    ],
)
def test_what_cannot_be_looked_at_is_a_finding_too(error: Exception, found: str) -> None:
    """A missing resource, a missing permission and an outage each say which they are; nothing is a traceback."""

    def ask(url: str, body: Any) -> Any:
        raise error

    findings = list(looked_up("function kpi", "fix it", lambda: project.function(SETTINGS, "kpi", ask)))
    assert [(f.ok, f.found) for f in findings] == [(False, found)]


def test_the_cloud_needs_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given no project, the error says how to name one; given an emulator's address, it says to unset it."""
    for name in ("STOCKFLOW_CLI_PROJECT", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    asked = CliRunner().invoke(app, ["doctor", "--cloud"])
    assert isinstance(asked.exception, CommandError) and "--project" in str(asked.exception)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")
    asked = CliRunner().invoke(app, ["doctor", "--cloud"])
    assert isinstance(asked.exception, CommandError) and "PUBSUB_EMULATOR_HOST" in str(asked.exception)
