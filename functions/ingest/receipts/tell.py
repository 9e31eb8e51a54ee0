"""Receipts that nobody asked for: each minute, of the loads that came to an end since the tick before.

They follow from the ledger alone. How far they are is kept in the staging bucket, after the receipts themselves: a
tick that is killed, or delivered twice, writes some again, with the same content. Most ticks look only at what landed
lately, so that one without news costs the least that BigQuery charges; every ten minutes one looks at older files, too.
"""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, cast

from functions.ingest.readers.source import unpack
from functions.ingest.receipts.page import page
from functions.ingest.receipts.refused import from_the_file, refusals
from functions.ingest.receipts.says import detail_of, named, receipt
from functions.ingest.receipts.story import Ended, computed, ended, load_of, stories
from stockflow.errors import PermanentError, TransientError
from stockflow.ledger import landing_day
from stockflow.log import log
from stockflow.services import Services

FOLDER = "receipts/"  # in the staging bucket: objects there announce nothing
MARK = "sweep/receipts"  # in the staging bucket: how far the receipts are
TOGETHER = 50  # loads that are asked for at once
MOST = 1_000  # receipts of one tick
SECONDS = 45.0  # after which a tick begins no more of them: the next one is due
LATE = timedelta(minutes=15)  # a record may be seen so long after the time that it states
FIRST = timedelta(days=1)  # how far the first tick of an environment looks back
LANDED = timedelta(days=31)  # older files are not told of again when they are replayed
LATELY = timedelta(days=2)  # as far back as a file landed that most ticks look for
WIDE = timedelta(minutes=10)  # how often one looks at all that landed in ``LANDED``
TRIES = 5  # of a receipt that could not be made, one a tick
LARGEST = 16 << 20  # bytes of a file that is read again for its refused rows
LONGEST = 1_024  # bytes of an object's name


class OvertakenError(Exception):
    """Two ticks wrote the receipt of one object at once."""


_TELLING = threading.Lock()  # ticks that pile up while a service is away do not all do the same


@dataclass
class Progress:
    """How far the receipts are.

    All loads that landed lately and ended before ``until``, and all others that ended before ``wide``, have receipts.
    ``told``: load id -> end, of what ended about then; ``tries``: load id -> how often its receipt could not be made.
    """

    until: datetime
    wide: datetime
    told: dict[str, datetime] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)

    def needs(self, load: Ended) -> bool:
        """Whether this end of a load was not told yet."""
        return self.told.get(load.load_id) != load.ended_at

    def note(self, loads: list[Ended], failed: set[str]) -> None:
        """Note which loads were told of; one whose receipt failed is told of again, some times."""
        for load in loads:
            tries = self.tries.pop(load.load_id, 0) + 1
            if load.load_id in failed and tries < TRIES:
                self.tries[load.load_id] = tries
            else:
                self.told[load.load_id] = load.ended_at

    def written(self) -> bytes:
        """Return it as JSON, without what no tick will ask for again."""
        recent = {load: at.isoformat() for load, at in self.told.items() if at >= min(self.until, self.wide) - LATE}
        until, wide = self.until.isoformat(), self.wide.isoformat()
        return json.dumps({"until": until, "wide": wide, "told": recent, "tries": self.tries}).encode()


@dataclass(frozen=True)
class Look:
    """What a tick looks at: what landed since that day and ended after that time."""

    is_wide: bool
    after: datetime
    since: date


def tell_receipts(services: Services, seconds: float = SECONDS) -> int:
    """Write the receipts of the loads that ended since the last tick; return how many.

    The next tick goes on with what is left after ``seconds``, or after 1,000 of them. A call that comes while another
    one of this process is at it does nothing.

    Raises:
        TransientError: what a service could not do now.
    """
    if not _TELLING.acquire(blocking=False):
        return 0
    try:
        return _tell_all(services, seconds)
    finally:
        _TELLING.release()


def _tell_all(services: Services, seconds: float) -> int:
    began, end = services.clock(), time.monotonic() + seconds
    progress = _progress(services, began)
    look = _look(progress, began)
    left, count = [load for load in ended(services, look.after, look.since) if progress.needs(load)], 0
    while left and count < MOST and time.monotonic() < end:
        some, left = left[:TOGETHER], left[TOGETHER:]
        progress.note(some, _tell(services, some))
        count += len(some)
        _go_on(progress, look, left[0].ended_at if left else began)
        _keep(services, progress)
    if count:
        log("INFO", f"{count} receipts written", stage="sweep", fields={"receipts": count, "left": len(left)})
    elif look.is_wide and not left:
        _go_on(progress, look, began)
        _keep(services, progress)
    return count


def _look(progress: Progress, now: datetime) -> Look:
    if now - progress.wide >= WIDE:
        return Look(True, min(progress.until, progress.wide) - LATE, landing_day(now - LANDED))
    return Look(False, progress.until - LATE, landing_day(now - LATELY))


def _go_on(progress: Progress, look: Look, to: datetime) -> None:
    progress.until = max(progress.until, to)
    if look.is_wide:
        progress.wide = max(progress.wide, to)


def _keep(services: Services, progress: Progress) -> None:
    services.object_store.write(services.settings.staging_bucket, MARK, progress.written(), "application/json")


def _progress(services: Services, now: datetime) -> Progress:
    try:
        kept = json.loads(services.object_store.read(services.settings.staging_bucket, MARK))
    except FileNotFoundError:
        return Progress(now - FIRST, now - FIRST)
    told = {load: datetime.fromisoformat(at) for load, at in kept["told"].items()}
    until, wide = (datetime.fromisoformat(kept.get(name, kept["until"])) for name in ("until", "wide"))
    return Progress(until, wide, told, kept.get("tries", {}))


def _tell(services: Services, loads: list[Ended]) -> set[str]:
    """Write the receipts of some loads; return those whose receipt could not be made."""
    known, failed = stories(services, loads), set()
    for load_id in (load.load_id for load in loads):
        try:
            write(services, known[load_id])
        except TransientError:
            raise
        except Exception as error:  # one file's fault must not keep the receipts of the others back
            failed.add(load_id)
            log("ERROR", f"no receipt: {error!r}", load_id=load_id, stage="sweep", fields={"event": "receipt"})
    return failed


def write(services: Services, story: Mapping[str, Any]) -> dict[str, Any] | None:
    """Write the receipt of a load, and its refused rows; return what it says, None when its object's name allows none.

    A receipt of a later end stays. Whoever writes first and last (the JSON: its generation tells) wrote all of it.

    Raises:
        OvertakenError: another tick wrote it meanwhile; the next tick writes it as the ledger then has it.
    """
    load = load_of(story["stages"])
    name = f"{FOLDER}{load['object']}"
    if name.endswith("/") or len(f"{name}.refused.jsonl".encode()) > LONGEST:
        return None
    feed, bucket = str(load["feed"] or ""), services.settings.staging_bucket
    contract = _contract(services, feed, load["object"])
    said = receipt(load, story, contract, computed(story["stages"]))
    there, later = _there(services, f"{name}.json", said)
    if later:
        return later
    rows = _refused(services, load, story)
    kind = rows[0] if rows else _ending(story)
    file = f"{name}.refused.{kind}"
    said |= {"refused_rows": f"gs://{bucket}/{file}" if rows else None}
    text = json.dumps(said, ensure_ascii=False, indent=2, default=str) + "\n"
    store = services.object_store
    mine = store.replace(bucket, f"{name}.json", text.encode(), "application/json", there)
    if mine is None:
        raise OvertakenError(f"{name}.json was written by another tick")
    if rows:
        store.write(bucket, file, rows[1], "text/csv" if kind == "csv" else "application/jsonl")
    else:
        store.delete(bucket, file)
    beside = PurePosixPath(file).name if rows else ""
    store.write(bucket, f"{name}.html", page(said, beside).encode(), "text/html; charset=utf-8")
    now = store.stat(bucket, f"{name}.json")
    if now is None or now.generation != mine:
        raise OvertakenError(f"{name}.json was written by another tick meanwhile")
    return said


def _there(services: Services, name: str, said: Mapping[str, Any]) -> tuple[int, dict[str, Any] | None]:
    """Return the generation of the receipt that is there (0: none), and that receipt when it tells of a later end."""
    store, bucket = services.object_store, services.settings.staging_bucket
    there = store.stat(bucket, name)
    if there is None:
        return 0, None
    kept: dict[str, Any] = json.loads(store.read(bucket, name))
    stated = kept.get("ended_at")
    is_later = bool(stated and said["ended_at"] and datetime.fromisoformat(stated) > said["ended_at"])
    return there.generation, kept if is_later else None


def _contract(services: Services, feed: str, name: str) -> Any:
    if feed not in services.contracts:
        return None
    try:
        return services.contract_for(feed, name)
    except PermanentError:  # two senders claim the file: the receipt says so
        return services.contracts[feed]


def _ingested(story: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ingest noted of the file."""
    return detail_of(next((s for s in story["stages"] if s["stage"] == "ingest"), None))


def _ending(story: Mapping[str, Any]) -> str:
    return "jsonl" if _ingested(story).get("format") == "json" else "csv"


def _refused(services: Services, load: Mapping[str, Any], story: Mapping[str, Any]) -> tuple[str, bytes] | None:
    """Return the ending and content of the file of refused rows, taken from the landed file.

    None when none was refused, and when it cannot be made here: the file is too large, gone or of another kind, or
    there are more refused rows than were asked for. `stockflow receipt` has them all.
    """
    counted = (r for kind in ("rejects_by_code", "quarantine_by_rule") for r in story[kind])
    total, size = sum(r["rows"] for r in counted), int(load["size_bytes"] or 0)
    if not total or total > len(story["rejects"]) + len(story["quarantine"]) or size > LARGEST:
        return None
    detail = _ingested(story)
    if detail.get("format") not in ("csv", "json"):
        return None
    ref = services.object_store.stat(load["bucket"], load["object"], load["generation"])
    if ref is None or ref.generation != load["generation"]:
        return None
    found = refusals(story["rejects"], named(story), load["load_id"])
    with services.object_store.open(ref) as stream:
        plain, _ = unpack(stream, LARGEST * 4)
        return from_the_file(cast("Any", plain), detail, found)
