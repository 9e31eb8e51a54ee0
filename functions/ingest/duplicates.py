"""The same bytes again: a duplicate, unless other content came in between."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stockflow.events import ObjectRef
from stockflow.services import Services

_HERE = Path(__file__).parent
_locks = tuple(threading.Lock() for _ in range(256))


@dataclass(frozen=True)
class Known:
    """What the ledger knows: the load that brought this content, if any, and whether the object had others."""

    twin: str | None = None
    twin_object: str | None = None
    has_others: bool = True


@contextmanager
def one_at_a_time(feed: str, content_md5: str) -> Iterator[None]:
    """Let copies that land together pass one after the other, so that the second sees the first.

    Only within this process, and only so that the second is *called* a duplicate: two instances may both load it,
    and the same keys with the same values then give the same result.
    """
    with _locks[hash((feed, content_md5)) % len(_locks)]:
        yield


def look_up(ref: ObjectRef, feed: str, content_md5: str, services: Services) -> Known:
    """Return what the ledger knows of this content and this object."""
    row = services.warehouse.query(_sql("duplicates"), _params(ref, feed, content_md5))[0]
    return Known(row["load_id"], row["object"], row["others"] > 0)


def find_restated(ref: ObjectRef, feed: str, content_md5: str, services: Services) -> list[ObjectRef]:
    """Return the duplicates that are none any more now that this load is known."""
    params = {**_params(ref, feed, content_md5), "generation": ref.generation}
    del params["load_id"]
    return [
        ObjectRef(ref.bucket, r["object"], r["generation"], r["size_bytes"] or 0, r["content_md5"], r["landed_at"])
        for r in services.warehouse.query(_sql("restated"), params)
    ]


def _sql(name: str) -> str:
    return (_HERE / f"{name}.sql").read_text(encoding="utf-8")


def _params(ref: ObjectRef, feed: str, content_md5: str) -> dict[str, str | int]:
    return {
        "load_id": ref.load_id,
        "feed": feed,
        "bucket": ref.bucket,
        "object": ref.name,
        "content_md5": content_md5,
    }
