"""The objects that hold a person: generations of landed files, what was staged of them, reports."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from stockflow.services import Services

# A copy of an affected file has its bytes and no rows of its own.
_WITH_COPIES = """
SELECT DISTINCT load_id, feed, bucket, object
FROM inventory_ops.load_stages_latest
WHERE landed_on >= DATE '2000-01-01' AND stage = 'ingest'
  AND (
    load_id IN UNNEST(@load_ids)
    OR content_md5 IN (
      SELECT content_md5
      FROM inventory_ops.load_stages_latest
      WHERE landed_on >= DATE '2000-01-01' AND stage = 'ingest' AND load_id IN UNNEST(@load_ids)
    )
  )
ORDER BY object, load_id
"""
# Files of these feeds without any row: what is in them was never read.
_UNREAD = """
SELECT load_id, object, state
FROM inventory_ops.load_stages_latest
WHERE landed_on >= DATE '2000-01-01' AND stage = 'ingest' AND feed IN UNNEST(@feeds)
  AND state NOT IN ('loaded', 'duplicate_content')
ORDER BY object, load_id
"""


@dataclass(frozen=True)
class Kept:
    """One object: ``kind`` is landing, staged, report or receipt."""

    kind: str
    bucket: str
    name: str
    generation: int | None
    load_id: str


def with_copies(services: Services, loads: Iterable[str]) -> list[dict[str, Any]]:
    """Return these loads and those of files with the same bytes."""
    wanted = sorted(set(loads))
    return services.warehouse.query(_WITH_COPIES, {"load_ids": wanted}) if wanted else []


def unread(services: Services, feeds: Iterable[str]) -> list[dict[str, Any]]:
    """Return the files of these feeds that could not be read."""
    return services.warehouse.query(_UNREAD, {"feeds": sorted(feeds)})


def objects(services: Services, loads: Iterable[dict[str, Any]]) -> Iterator[Kept]:
    """Yield what is kept of these loads."""
    staging = services.settings.staging_bucket
    for load in loads:
        for ref in services.object_store.list(load["bucket"], load["object"], versions=True):
            if ref.load_id == load["load_id"]:
                yield Kept("landing", ref.bucket, ref.name, ref.generation, ref.load_id)
        folders = {"staged": f"ingest/{load['feed']}/{load['load_id']}/",
                   "report": f"reports/{load['feed']}/{load['load_id']}.",
                   "receipt": f"receipts/{load['object']}."}  # fmt: skip
        for kind, prefix in folders.items():
            for ref in services.object_store.list(staging, prefix, versions=True):
                yield Kept(kind, staging, ref.name, ref.generation, load["load_id"])


def delete(services: Services, kept: Iterable[Kept]) -> None:
    """Delete these generations."""
    for one in kept:
        services.object_store.delete(one.bucket, one.name, one.generation)
