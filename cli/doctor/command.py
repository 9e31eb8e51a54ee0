"""doctor: is an environment what it should be?"""

import os
from collections.abc import Iterator
from typing import Annotated

import typer

from cli import target
from cli.doctor import buckets, canary, events, profiles, project, warehouse
from cli.doctor.finding import Finding
from cli.output import CommandError, console, print_json, print_table
from cli.stack import Json
from local.state import FUNCTIONS, read_status
from stockflow.services import Services

_EMULATORS = ("PUBSUB_EMULATOR_HOST", "STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST")


def doctor(
    cloud: Annotated[bool, typer.Option("--cloud", help="Look at the project in Google Cloud.")] = False,
    with_canary: Annotated[bool, typer.Option("--canary", help="Also send a file all the way to the KPIs.")] = False,
    timeout: Annotated[int, typer.Option(help="Longest time to wait for the canary, in seconds.")] = 300,
    as_json: Json = False,
) -> None:
    """Compare an environment with pipeline.yaml and the contracts.

    Without --cloud the running stack: buckets, topics, subscriptions, tables, views, functions, profiles of
    senders. With it the project that --project or GOOGLE_CLOUD_PROJECT names, and also APIs, the schema of events,
    how buckets are protected and announce, the deployed functions, and what you may do there.

    Exit code 1 when anything is not as it should be; each finding says what fixes it.

    Examples:

      stockflow doctor

      stockflow --project my-stockflow doctor --cloud --canary
    """
    services = _environment(cloud)
    findings = list(_in_the_cloud(services) if cloud or target.in_the_cloud() else _on_the_laptop(services))
    if with_canary:
        findings += canary.check(services, timeout)
    _tell(findings, as_json)
    if not all(f.ok for f in findings):
        raise typer.Exit(1)


def _environment(cloud: bool) -> Services:
    if not cloud and not target.in_the_cloud():
        return target.services()
    name = os.environ.get("STOCKFLOW_CLI_PROJECT") or os.environ.get("GOOGLE_CLOUD_PROJECT", "")
    if not name:
        raise CommandError("expected a project: put --project NAME before doctor, or set GOOGLE_CLOUD_PROJECT")
    if emulated := [variable for variable in _EMULATORS if variable in os.environ]:
        raise CommandError(f"{', '.join(emulated)} point at a stack on this machine: unset them, or leave out --cloud")
    os.environ["STOCKFLOW_CLI_PROJECT"] = name
    return target.services()


def _in_the_cloud(services: Services) -> Iterator[Finding]:
    ask = project.rest()
    yield from project.check(services, ask)
    yield from buckets.check(services, cloud=True)
    yield from events.check(services.settings, project.urls(services.settings, ask), cloud=True)
    yield from warehouse.check(services, cloud=True)
    yield from profiles.check(services.settings.contracts_dir)


def _on_the_laptop(services: Services) -> Iterator[Finding]:
    stack = target.stack()
    status = read_status(stack.folder)
    states = {p.name: p.state for p in status.parts} if status else {}
    for name in FUNCTIONS:
        found = states.get(name, "missing")
        yield Finding(f"function {name}", "healthy", found, f"`stockflow logs {name}` says why", found == "healthy")
    yield from buckets.check(services, cloud=False)
    yield from events.check(services.settings, {name: stack.url(name) for name in FUNCTIONS}, cloud=False)
    yield from warehouse.check(services, cloud=False)
    yield from profiles.check(services.settings.contracts_dir)


def _tell(findings: list[Finding], as_json: bool) -> None:
    broken = [f.row() for f in findings if not f.ok]
    if as_json:
        print_json({"healthy": not broken, "checks": len(findings), "findings": [f.row() for f in findings]})
    elif broken:
        print_table(broken, ["check", "expected", "found", "fix"], f"{len(broken)} of {len(findings)} checks failed")
    else:
        console().print(f"healthy: {len(findings)} checks passed")
