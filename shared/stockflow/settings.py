"""Configuration: one frozen value, read from the environment once and passed in."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_DATASET = re.compile(r"\binventory_(raw|curated|kpi|reporting|ops)\b")
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


@dataclass(frozen=True)
class Settings:
    """Where an environment's parts are. See ``from_env`` for the variables."""

    project: str
    location: str = "europe-west1"
    dataset_prefix: str = ""
    landing_bucket: str = ""
    staging_bucket: str = ""
    definitions_uri: str = ""
    contracts_dir: Path = Path("contracts")
    landing_topic: str = "landing-objects"
    events_topic: str = "inventory-events"
    topic_prefix: str = ""
    replay_window_seconds: int = 900
    sweep_after_seconds: int = 1_800
    max_file_bytes: int = 2_000_000_000
    max_attempts: int = 10
    drain_pause_seconds: float = 0
    memory_bytes: int = 1 << 30
    bigquery_endpoint: str | None = None
    bigquery_grpc: str | None = None
    storage_endpoint: str | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from environment variables.

        ``GOOGLE_CLOUD_PROJECT`` is required; ``STOCKFLOW_*`` overrides defaults derived from it;
        ``BIGQUERY_EMULATOR_HOST`` and ``STORAGE_EMULATOR_HOST`` point at emulators.

        Raises:
            KeyError: when GOOGLE_CLOUD_PROJECT is not set.
        """
        e = os.environ if env is None else env
        project = e["GOOGLE_CLOUD_PROJECT"]
        root = bundle_root()
        return cls(
            project=project,
            location=e.get("STOCKFLOW_LOCATION", cls.location),
            dataset_prefix=e.get("STOCKFLOW_DATASET_PREFIX", ""),
            landing_bucket=e.get("STOCKFLOW_LANDING_BUCKET", f"{project}-landing"),
            staging_bucket=e.get("STOCKFLOW_STAGING_BUCKET", f"{project}-staging"),
            definitions_uri=e.get("STOCKFLOW_DEFINITIONS_URI", str(root / "functions/kpi/definitions")),
            contracts_dir=Path(e.get("STOCKFLOW_CONTRACTS_DIR", root / "contracts")),
            landing_topic=e.get("STOCKFLOW_LANDING_TOPIC", cls.landing_topic),
            events_topic=e.get("STOCKFLOW_EVENTS_TOPIC", cls.events_topic),
            topic_prefix=e.get("STOCKFLOW_TOPIC_PREFIX", ""),
            replay_window_seconds=int(e.get("STOCKFLOW_REPLAY_WINDOW_SECONDS", cls.replay_window_seconds)),
            sweep_after_seconds=int(e.get("STOCKFLOW_SWEEP_AFTER_SECONDS", cls.sweep_after_seconds)),
            max_file_bytes=int(e.get("STOCKFLOW_MAX_FILE_BYTES", cls.max_file_bytes)),
            max_attempts=int(e.get("STOCKFLOW_MAX_ATTEMPTS", cls.max_attempts)),
            drain_pause_seconds=float(e.get("STOCKFLOW_DRAIN_PAUSE_SECONDS", cls.drain_pause_seconds)),
            memory_bytes=int(e.get("STOCKFLOW_MEMORY_BYTES", cls.memory_bytes)),
            bigquery_endpoint=e.get("BIGQUERY_EMULATOR_HOST"),
            bigquery_grpc=e.get("BIGQUERY_STORAGE_EMULATOR_HOST"),
            storage_endpoint=e.get("STORAGE_EMULATOR_HOST"),
        )

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
