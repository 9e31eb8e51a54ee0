"""The variables with which a Google client, ``gcloud storage``, ``bq`` or a function talks to a stack."""

import os
from pathlib import Path

from local.state import Stack

_KEPT = (
    "STOCKFLOW_CONTRACTS_DIR",
    "STOCKFLOW_DRAIN_PAUSE_SECONDS",
    "STOCKFLOW_REPLAY_WINDOW_SECONDS",
    "STOCKFLOW_SWEEP_AFTER_SECONDS",
)


def variables(stack: Stack) -> dict[str, str]:
    """Return what ``stockflow env`` prints."""
    tools = _tool_files(stack)
    return {
        "GOOGLE_CLOUD_PROJECT": stack.project,
        "STORAGE_EMULATOR_HOST": stack.url("storage"),
        "BIGQUERY_EMULATOR_HOST": stack.url("bigquery"),
        "BIGQUERY_STORAGE_EMULATOR_HOST": f"127.0.0.1:{stack.ports['bigquery_grpc']}",
        "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{stack.ports['pubsub']}",
        "PUBSUB_PROJECT_ID": stack.project,
        "STOCKFLOW_LANDING_BUCKET": stack.landing,
        "STOCKFLOW_STAGING_BUCKET": f"{stack.project}-staging",
        "STOCKFLOW_DEFINITIONS_URI": os.environ.get(
            "STOCKFLOW_DEFINITIONS_URI", f"gs://{stack.project}-definitions/kpi"
        ),
        "CLOUDSDK_CONFIG": str(stack.folder / "gcloud"),
        "CLOUDSDK_CORE_PROJECT": stack.project,
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(tools["token"]),
        "BIGQUERYRC": str(tools["bigqueryrc"]),
        "BOTO_CONFIG": str(tools["boto"]),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{stack.url('storage')}/storage/v1/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_BIGQUERY": f"{stack.url('bigquery')}/bigquery/v2/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"{stack.url('pubsub_rest')}/",
    }


def _tool_files(stack: Stack) -> dict[str, Path]:
    """Write what gcloud, bq and gsutil read from files; return where."""
    texts = {
        "token": "local",
        "bigqueryrc": f"api = {stack.url('bigquery')}\nproject_id = {stack.project}\n",
        # gsutil itself speaks nothing but https: it hands its work to `gcloud storage`, which knows the endpoint.
        "boto": "[GSUtil]\nuse_gcloud_storage = True\n",
    }
    files = {name: stack.folder / "gcloud" / name for name in texts}
    for name, path in files.items():
        if not path.exists() or path.read_text() != texts[name]:
            path.write_text(texts[name])
    return files


def process_env(stack: Stack, **extra: str) -> dict[str, str]:
    """Return the environment of a part: the caller's, the stack's, and what only this part needs."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("STOCKFLOW_", "CLOUDSDK_"))}
    kept = {k: v for k, v in os.environ.items() if k in _KEPT}
    return {**inherited, **kept, **variables(stack), "PYTHONUNBUFFERED": "1", **extra}


def state_folder() -> Path:
    """Return the folder that ``STOCKFLOW_STATE`` names; else ``.stockflow`` here, or above where a stack was made."""
    if named := os.environ.get("STOCKFLOW_STATE"):
        return Path(named)
    here = Path.cwd()
    made = (above / ".stockflow" for above in (here, *here.parents) if (above / ".stockflow/stack.json").exists())
    return next(made, Path(".stockflow"))
