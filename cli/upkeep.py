"""What an environment needs every day: the bucket beside the ledger, and what nobody needs any more."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from google.api_core import exceptions as api
from google.cloud import bigquery

from cli.audit import counts
from functions.ingest.orphans import OLD, remove_orphans
from functions.ingest.sweep import sweep
from stockflow.ledger import landing_day
from stockflow.log import log
from stockflow.services import Services

_NAMED = """
SELECT DISTINCT raw_run_id AS run_id FROM inventory_ops.load_stages
WHERE landed_on >= @since AND raw_run_id IS NOT NULL
"""
_SANDBOXES = ("replay_", "backfill_")  # what copies of the datasets begin with, behind the environment's prefix


def reconcile(services: Services) -> dict[str, Any]:
    """Sweep, however old a file is, then compare the landing bucket, the ledger and the tables.

    Returns how much was announced again and the findings. What the sweep has just announced is not a finding. Each
    finding is a line in the log, of severity ERROR.
    """
    requeued = sweep(services)
    on_its_way = {ref.load_id for ref in requeued.objects} | {row["load_id"] for row in requeued.loads}
    found = [
        asdict(b)
        for b in counts.breaks(counts.records(services), counts.landed(services), services)
        if b.load_id not in on_its_way
    ]
    for finding in found:
        words = f"reconciliation: expected {finding['expected']}, found {finding['found']}"
        log("ERROR", words, fields={"event": "reconciliation"}, load_id=finding["load_id"] or None, stage="reconcile")
    return {"requeued": requeued.total, "findings": found}


def cleanup(services: Services, look_back: timedelta, old: timedelta = OLD) -> dict[str, Any]:
    """Remove what attempts left behind that no record names: rows of raw, staged files, copies of datasets.

    Looks at files that were tried within ``look_back``; nothing younger than ``old`` is touched.
    """
    raw = remove_orphans(services, old, look_back)
    staged = list(_remove_staged(services, look_back, old))
    return {"raw_days": raw, "staged_files": len(staged), "datasets": list(_remove_datasets(services, old))}


def _remove_staged(services: Services, look_back: timedelta, old: timedelta) -> Iterator[str]:
    """Remove staged Parquet of runs that were not committed. What was, goes by the bucket's own rule."""
    bucket, now = services.settings.staging_bucket, services.clock()
    oldest = now - old - look_back
    since = landing_day(oldest - timedelta(days=400))  # a replay stages a file again that landed long ago
    named = {row["run_id"] for page in services.warehouse.pages(_NAMED, {"since": since}) for row in page}
    for ref in services.object_store.list(bucket, "ingest/"):
        run = ref.name.split("/")[3].removesuffix(".parquet")  # ingest/<feed>/<load>/<run>.parquet, or <run>/<part>
        if oldest <= ref.created < now - old and run not in named:
            services.object_store.delete(bucket, ref.name)
            yield ref.name


def _remove_datasets(services: Services, old: timedelta) -> Iterator[str]:
    """Remove the datasets of sandbox runs and backfills that were killed; their tables have expired."""
    client, settings = services.warehouse.client, services.settings
    for item in client.list_datasets(settings.project):
        name = item.dataset_id.removeprefix(settings.dataset_prefix)
        if not item.dataset_id.startswith(settings.dataset_prefix) or not name.startswith(_SANDBOXES):
            continue
        dataset: bigquery.Dataset = client.get_dataset(item.reference)
        empty = next(iter(client.list_tables(dataset)), None) is None
        if empty and dataset.created and dataset.created < services.clock() - old:
            try:
                client.delete_dataset(dataset, delete_contents=False, not_found_ok=True)
            except api.Forbidden as error:  # a person's own: that person can
                log("WARNING", f"not removed: {error.message}", stage="cleanup")
            else:
                yield item.dataset_id
