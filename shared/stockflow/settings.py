"""Configuration: one frozen value, read from the environment once and passed in."""

import os
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

_DATASET = re.compile(r"\binventory_(raw|curated|kpi|reporting|ops)\b")
_CONTRACTS = Path("contracts")
_ITS_OWN = ("contracts_dir", "definitions_uri", "dataflow_environment", "threads")
_HERE = Path(__file__).resolve().parent


def bundle_root() -> Path:
    """Return the folder that holds ``contracts/`` and ``pipeline.yaml``.

    In a deployed function that is the root of the zip (next to ``stockflow/``); in a checkout it is
    the root of the repository (two above).
    """
    for root in (_HERE.parent, _HERE.parent.parent):
        if (root / "pipeline.yaml").exists():
            return root
    raise FileNotFoundError(f"pipeline.yaml is neither in {_HERE.parent} nor in {_HERE.parent.parent}")


def _setting(variable: str, meaning: str, default: Any = MISSING) -> Any:
    """Return a field with the environment variable that sets it and what it decides (docs/configuration.md)."""
    return field(default=default, metadata={"variable": variable, "meaning": meaning})


@dataclass(frozen=True)
class Settings:
    """Where an environment's parts are, and its limits. ``from_env`` reads the variables that the fields name."""

    project: str = _setting("GOOGLE_CLOUD_PROJECT", "The Google Cloud project. Required.")
    location: str = _setting("STOCKFLOW_LOCATION", "Region of buckets and datasets.", "europe-west1")
    dataset_prefix: str = _setting(
        "STOCKFLOW_DATASET_PREFIX", "Put before the names of all datasets: several environments in one project.", ""
    )
    landing_bucket: str = _setting("STOCKFLOW_LANDING_BUCKET", "Where files are dropped.", "")
    staging_bucket: str = _setting("STOCKFLOW_STAGING_BUCKET", "Where ingest keeps what it read, as Parquet.", "")
    definitions_uri: str = _setting("STOCKFLOW_DEFINITIONS_URI", "Folder or gs:// prefix of the KPI definitions.", "")
    contracts_dir: Path = _setting("STOCKFLOW_CONTRACTS_DIR", "Folder of the contracts.", _CONTRACTS)  # noqa: RUF009
    landing_topic: str = _setting("STOCKFLOW_LANDING_TOPIC", "Topic of the bucket's notifications.", "landing-objects")
    events_topic: str = _setting("STOCKFLOW_EVENTS_TOPIC", "Topic of the stages' events.", "inventory-events")
    topic_prefix: str = _setting("STOCKFLOW_TOPIC_PREFIX", "Put before the names of both topics.", "")
    replay_window_seconds: int = _setting(
        "STOCKFLOW_REPLAY_WINDOW_SECONDS",
        "Seconds after a stage's result during which the same event again is a duplicate, not a replay.",
        900,
    )
    sweep_after_seconds: int = _setting(
        "STOCKFLOW_SWEEP_AFTER_SECONDS", "Seconds that a load may wait for its next stage until the sweep acts.", 1_800
    )
    max_file_bytes: int = _setting(
        "STOCKFLOW_MAX_FILE_BYTES", "Largest file that one call of ingest reads, in bytes.", 2_000_000_000
    )
    max_attempts: int = _setting("STOCKFLOW_MAX_ATTEMPTS", "Failed attempts at a stage until a load is parked.", 10)
    drain_pause_seconds: float = _setting(
        "STOCKFLOW_DRAIN_PAUSE_SECONDS",
        "Least seconds from the start of one drain to the start of the next (`pipeline.yaml`).",
        0.0,
    )
    load_pause_seconds: float = _setting(
        "STOCKFLOW_LOAD_PAUSE_SECONDS",
        "Least seconds from the start of one load job of a feed to the start of the next, unless the instance is full "
        "of calls that wait for one (`pipeline.yaml`).",
        0.0,
    )
    threads: int = _setting(
        "THREADS",
        "Calls that an instance takes at once, as functions-framework has it (`concurrency` in `pipeline.yaml`); "
        "0: not known.",
        0,
    )
    kpi_interval_seconds: str = _setting(
        "STOCKFLOW_KPI_INTERVAL_SECONDS",
        "Least seconds from the end of a KPI's run to the start of its next: JSON of KPI to seconds (`pipeline.yaml`).",
        "{}",
    )
    memory_bytes: int = _setting("STOCKFLOW_MEMORY_BYTES", "Memory of an instance of ingest, in bytes.", 1 << 30)
    dataflow_template: str = _setting(
        "STOCKFLOW_DATAFLOW_TEMPLATE",
        "The gs:// place of the Flex Template that reads files too large for one call; empty: they are rejected.",
        "",
    )
    dataflow_environment: str = _setting(
        "STOCKFLOW_DATAFLOW_ENVIRONMENT",
        "How its jobs run: JSON of the API's `FlexTemplateRuntimeEnvironment` (service account, network, workers).",
        "{}",
    )
    dataflow_endpoint: str | None = _setting("STOCKFLOW_DATAFLOW_ENDPOINT", "Address of a stand-in for Dataflow.", None)
    handover_seconds: int = _setting(
        "STOCKFLOW_HANDOVER_SECONDS", "Seconds that a job may take for a load until another one is launched.", 14_400
    )
    lineage_url: str = _setting(
        "STOCKFLOW_LINEAGE_URL",
        "Where sweeps send OpenLineage events: `https://datalineage.googleapis.com`, or an endpoint such as Marquez; "
        "empty: nowhere.",
        "",
    )
    bigquery_endpoint: str | None = _setting("BIGQUERY_EMULATOR_HOST", "Address of a BigQuery emulator.", None)
    bigquery_grpc: str | None = _setting(
        "BIGQUERY_STORAGE_EMULATOR_HOST", "Address of its gRPC interface (Storage Write API).", None
    )
    storage_endpoint: str | None = _setting("STORAGE_EMULATOR_HOST", "Address of a Cloud Storage emulator.", None)

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from environment variables; a variable that is not set leaves the default.

        Raises:
            KeyError: when GOOGLE_CLOUD_PROJECT is not set.
            ValueError: naming the variable whose number cannot be read.
        """
        e = os.environ if env is None else env
        values: dict[str, Any] = derived_defaults(e["GOOGLE_CLOUD_PROJECT"], bundle_root())
        for known in fields(cls):
            if (variable := known.metadata["variable"]) in e:
                values[known.name] = _parsed(variable, known.type, e[variable])
        return cls(**values)

    def variables(self) -> dict[str, str]:
        """Return the variables that make these settings on another machine; what lies in its code is its own."""
        values = {f.metadata["variable"]: getattr(self, f.name) for f in fields(self) if f.name not in _ITS_OWN}
        return {variable: str(value) for variable, value in values.items() if value not in (None, "")}

    def dataset(self, name: str) -> str:
        """Return the dataset id of a layer: raw, curated, kpi, reporting or ops."""
        return f"{self.dataset_prefix}inventory_{name}"

    def table(self, dataset: str, name: str) -> str:
        """Return ``dataset.table`` of this environment, such as ``inventory_raw.sales``."""
        return f"{self.dataset(dataset)}.{name}"

    def sql(self, text: str) -> str:
        """Return SQL written for ``inventory_<layer>`` with this environment's dataset names."""
        if not self.dataset_prefix:
            return text
        return _DATASET.sub(lambda m: self.dataset(m.group(1)), text)

    def topic(self, name: str) -> str:
        """Return the full resource name of a topic."""
        return f"projects/{self.project}/topics/{self.topic_prefix}{name}"


def _parsed(variable: str, kind: Any, text: str) -> Any:
    if kind is Path:
        return Path(text)
    if kind not in (int, float):
        return text
    try:
        return kind(text)
    except ValueError as error:
        expected = "a whole number" if kind is int else "a number"
        raise ValueError(f"{variable} is {text!r}: expected {expected}") from error


def derived_defaults(project: str, root: Path) -> dict[str, Any]:
    """Return the defaults that depend on the project, or on where the code lies."""
    return {
        "landing_bucket": f"{project}-landing",
        "staging_bucket": f"{project}-staging",
        "definitions_uri": str(root / "functions/kpi/definitions"),
        "contracts_dir": root / "contracts",
    }
