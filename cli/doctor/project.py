"""What only a project in the cloud has: APIs, deployed functions, and what the caller may do."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from google.api_core import exceptions as api

from cli.doctor.events import APPLY
from cli.doctor.finding import Finding, compare, looked_up, missing
from cli.output import CommandError
from stockflow.schema import pipeline
from stockflow.services import Services
from stockflow.settings import Settings, bundle_root

Json = dict[str, Any]
Ask = Callable[[str, Json | None], Json]
# What a person or CI needs to drop files, read the ledger and replay.
PROJECT_PERMISSIONS = ("bigquery.jobs.create",)
LANDING_PERMISSIONS = ("storage.objects.create", "storage.objects.get", "storage.objects.list")
TOPIC_PERMISSIONS = ("pubsub.topics.publish",)


def rest() -> Ask:
    """Return how to ask Google's REST APIs: GET, or POST when there is a body.

    Raises:
        CommandError: when nobody is signed in.
    """
    import google.auth
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import AuthorizedSession

    try:
        credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    except GoogleAuthError as error:
        raise CommandError(f"no credentials ({error}): run `gcloud auth application-default login`") from error
    session = AuthorizedSession(credentials)

    def ask(url: str, body: Json | None = None) -> Json:
        answer = session.get(url, timeout=60) if body is None else session.post(url, json=body, timeout=60)
        if answer.status_code >= 400:
            raise api.from_http_response(answer)
        found: Json = answer.json()
        return found

    return ask


def check(services: Services, ask: Ask) -> Iterator[Finding]:
    """Look at APIs, functions and permissions."""
    settings = services.settings
    yield from looked_up("APIs", APPLY, partial(apis, settings, ask))
    for name in pipeline()["functions"]:
        yield from looked_up(f"function {name}", APPLY, partial(function, settings, name, ask))
    yield from looked_up("your permissions", "docs/security.md", partial(permissions, services, ask))


def required_apis() -> list[str]:
    """Return the services that terraform/main.tf enables whatever the switches are."""
    text = (bundle_root() / "terraform/main.tf").read_text(encoding="utf-8")
    block = re.search(r"toset\(concat\(\s*\[(.*?)\]", text, re.DOTALL)
    assert block is not None, "terraform/main.tf no longer lists the APIs where it did"
    return [f"{name}.googleapis.com" for name in re.findall(r'"(\w+)"', block[1])]


def apis(settings: Settings, ask: Ask) -> Iterator[Finding]:
    """Look at which APIs are enabled (twenty in each question: that is the limit)."""
    base = f"https://serviceusage.googleapis.com/v1/projects/{settings.project}"
    wanted, enabled = required_apis(), set()
    for start in range(0, len(wanted), 20):
        names = "&".join(f"names=projects/{settings.project}/services/{n}" for n in wanted[start : start + 20])
        found = ask(f"{base}/services:batchGet?{names}", None).get("services", [])
        enabled |= {s["name"].rsplit("/", 1)[1] for s in found if s.get("state") == "ENABLED"}
    yield from missing(wanted, enabled, "API", f"gcloud services enable API --project={settings.project}")


def urls(settings: Settings, ask: Ask) -> dict[str, str]:
    """Return function -> the URL of its service."""
    found = {}
    for name in pipeline()["functions"]:
        try:
            found[name] = str(ask(_function(settings, name), None)["serviceConfig"]["uri"])
        except (api.GoogleAPICallError, KeyError):
            found[name] = "a function that is not deployed"
    return found


def function(settings: Settings, name: str, ask: Ask) -> Iterator[Finding]:
    """Look at one deployed function."""
    there = ask(_function(settings, name), None)
    yield from compare(f"function {name}", expected(settings, name), _facts(there), APPLY)


def expected(settings: Settings, name: str) -> Mapping[str, Any]:
    """Return what ``pipeline.yaml`` says of a function."""
    described = pipeline()["functions"][name]
    return {
        "state": "ACTIVE",
        "memory": described["memory"],
        "timeout": described["timeout_seconds"],
        "instances": described["max_instances"],
        "concurrency": described["concurrency"],
        "ingress": "ALLOW_INTERNAL_ONLY",
        "identity": f"stockflow-{name}@{settings.project}.iam.gserviceaccount.com",
    }


def _facts(there: Json) -> Mapping[str, Any]:
    service = there.get("serviceConfig", {})
    return {
        "state": there.get("state"),
        "memory": service.get("availableMemory"),
        "timeout": service.get("timeoutSeconds"),
        "instances": service.get("maxInstanceCount"),
        "concurrency": service.get("maxInstanceRequestConcurrency"),
        "ingress": service.get("ingressSettings"),
        "identity": service.get("serviceAccountEmail"),
    }


def permissions(services: Services, ask: Ask) -> Iterator[Finding]:
    """Look at what the caller may do: run queries, drop a file, announce."""
    settings = services.settings
    url = f"https://cloudresourcemanager.googleapis.com/v1/projects/{settings.project}:testIamPermissions"
    held = ask(url, {"permissions": list(PROJECT_PERMISSIONS)}).get("permissions", [])
    yield from missing(PROJECT_PERMISSIONS, held, "permission on the project:", "docs/security.md")
    bucket = services.object_store.client.bucket(settings.landing_bucket)
    held = bucket.test_iam_permissions(list(LANDING_PERMISSIONS))
    yield from missing(LANDING_PERMISSIONS, held, f"permission on {settings.landing_bucket}:", "docs/security.md")
    for topic in (settings.landing_topic, settings.events_topic):
        url = f"https://pubsub.googleapis.com/v1/{settings.topic(topic)}:testIamPermissions"
        held = ask(url, {"permissions": list(TOPIC_PERMISSIONS)}).get("permissions", [])
        yield from missing(TOPIC_PERMISSIONS, held, f"permission on topic {topic}:", "docs/security.md")


def _function(settings: Settings, name: str) -> str:
    where = f"projects/{settings.project}/locations/{settings.location}"
    return f"https://cloudfunctions.googleapis.com/v2/{where}/functions/stockflow-{name}"
