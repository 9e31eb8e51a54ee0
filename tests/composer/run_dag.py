"""Runs in an environment of Airflow, not in the project's: imports the DAG files, or runs one to its end.

Arguments: the folder of the DAGs; ``import``, or a DAG's id and its parameters as JSON. Prints one line of JSON.
"""

import json
import socket
import sys
import time
from pathlib import Path
from typing import Any


class NetworkError(RuntimeError):
    """A DAG file opened a connection while it was imported."""


def _refuse(*_args: Any, **_named: Any) -> Any:
    raise NetworkError("a DAG file opened a connection while it was imported")


def imported(folder: Path) -> dict[str, Any]:
    """Import the DAG files without a network, each once; Airflow itself is imported before."""
    import stockflow_composer.airflow

    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:
        from airflow.models.dagbag import DagBag
    import airflow

    opened = socket.socket.connect, socket.getaddrinfo
    socket.socket.connect = socket.getaddrinfo = _refuse  # type: ignore[assignment, method-assign]
    try:
        own = _seconds(folder)
        bag = DagBag(str(folder))
    finally:
        socket.socket.connect, socket.getaddrinfo = opened  # type: ignore[method-assign]
    clients = sorted(name for name in sys.modules if name in ("google.cloud.bigquery", "google.cloud.pubsub_v1"))
    return {
        "airflow": airflow.__version__, "python": sys.version.split()[0], "errors": dict(bag.import_errors),
        "dags": {name: dag.task_ids for name, dag in sorted(bag.dags.items())}, "seconds": own, "clients": clients,
        "versions": _versions(),
        "from_wheel": "site-packages" in str(stockflow_composer.__file__),
    }  # fmt: skip


def _versions() -> dict[str, str]:
    """Return stage -> the version of `sales` by the installed code; everything that a task runs is imported."""
    from cli.audit import again  # noqa: F401
    from cli.stale import versions_of
    from stockflow.services import Services
    from stockflow.settings import Settings

    services = Services(Settings.from_env({"GOOGLE_CLOUD_PROJECT": "p"}))
    stages = ("ingest", "validate", "transform", "kpi")
    return {stage: versions_of(stage, services).feeds[stage, "sales"] for stage in stages}


def _seconds(folder: Path) -> dict[str, float]:
    """Return file -> seconds that it takes to run it, imports of its own included."""
    import runpy

    found = {}
    for path in sorted(folder.glob("*.py")):
        began = time.monotonic()
        runpy.run_path(str(path))
        found[path.name] = round(time.monotonic() - began, 3)
    return found


def run(folder: Path, name: str, conf: dict[str, Any]) -> dict[str, Any]:
    """Run a DAG by ``dag.test()``, triggers included; return the states of its tasks and what ``report`` said."""
    import runpy

    dag = runpy.run_path(str(folder / f"{name.removeprefix('stockflow_')}.py"))["dag"]
    ended = dag.test(run_conf=conf)
    tasks = {ti.task_id: str(getattr(ti.state, "value", ti.state)) for ti in ended.get_task_instances()}
    return {"state": str(getattr(ended.state, "value", ended.state)), "tasks": tasks}


if __name__ == "__main__":
    place, what = Path(sys.argv[1]), sys.argv[2]
    told = imported(place) if what == "import" else run(place, what, json.loads(sys.argv[3]))
    print("\n" + json.dumps(told))
