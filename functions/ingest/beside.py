"""Control files and the data files they stand beside, compared whichever of the two comes first.

What a control file states is kept in the staging bucket under the name of its data file: the data file's own ingest
looks there before it commits. When the data file was loaded already, the control file's ingest compares. Each side
first says what it knows and then looks for the other, so one of the two sees both.

A name may come again each day, with a control file each time. So a statement counts for what landed within hours of
it, and once a file was found to be as stated, the statement is that file's: no other one is held against it.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from functions.ingest.agreement import CODES, Found, check, less_sure
from functions.ingest.control import HEAD, Stated, is_control, stated
from stockflow.errors import PermanentError, TransientError
from stockflow.events import ObjectRef, announcement
from stockflow.ledger import Asked, StageRecord
from stockflow.log import log
from stockflow.services import Services

BESIDE = timedelta(hours=6)
MOST = 1_000  # files that one control file may speak of
_LONGEST = 900  # bytes of an object's name, less than Cloud Storage takes


@dataclass(frozen=True)
class Statement:
    """What a control file (``object``, ``generation``, when it landed) states; ``true_of``: the generation it fits."""

    stated: Stated
    object: str
    generation: int
    landed_at: datetime
    true_of: int | None = None

    @property
    def place(self) -> str:
        """Where it is kept in the staging bucket."""
        path = PurePosixPath(self.object)
        return f"{_folder(str(path.parent), self.stated.about)}{path.name}"

    def may_mean(self, ref: ObjectRef) -> bool:
        """Whether it may be about this generation of its data file."""
        near = abs(self.landed_at - ref.created) <= BESIDE
        return self.true_of == ref.generation if self.true_of else near

    def written(self) -> bytes:
        """Return it as JSON."""
        return json.dumps({**asdict(self), "landed_at": self.landed_at.isoformat()}).encode()


@dataclass(frozen=True)
class Comparison:
    """A loaded file beside what its control file states: how they differ, or what the count may count (``facts``)."""

    ref: ObjectRef
    record: StageRecord
    statement: Statement
    error: PermanentError | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def noted(self) -> dict[str, Any]:
        """What the control file's own record keeps: later files of the series are compared with it."""
        return {"about": self.ref.name, "about_load": self.record.load_id, **self.facts} if self.facts else {}


def found_in(ref: ObjectRef, record: StageRecord) -> Found:
    """Return what the ledger knows of a loaded file."""
    rows, rejects = record.rows or 0, record.rejects or 0
    return Found(ref.name, ref.size, record.content_md5 or ref.md5, rows, rejects, record.detail)


def check_stated(ref: ObjectRef, found: Found, services: Services) -> dict[str, Any]:
    """See that a data file is what the control files beside it state, as far as they landed; return what they count.

    Raises:
        PermanentError: one of ``agreement.CODES``.
    """
    facts: dict[str, Any] = {}
    for statement in statements(ref, services):
        facts = less_sure(
            facts, check(statement.stated, statement.object, found, lambda: services.object_store.open(ref))
        )
        _keep(replace(statement, true_of=ref.generation), services)
    return facts


def note_control(ref: ObjectRef, services: Services) -> list[Comparison]:
    """Keep what a control file states, and compare it with the files that were loaded before it landed.

    Raises:
        TransientError: ``data_not_read_yet`` while such a file is being read.
    """
    if services.object_store.stat(ref.bucket, ref.name) is None:
        return []
    with services.object_store.open(ref) as stream:
        said = stated(PurePosixPath(ref.name).name, stream.read(HEAD))
    news = [Statement(s, ref.name, ref.generation, ref.created) for s in said[:MOST] if s.about]
    news = [n for n in news if len(n.place.encode()) <= _LONGEST]
    return [found for new in news if (found := _compared(new, ref.bucket, services))]


def _compared(new: Statement, bucket: str, services: Services) -> Comparison | None:
    before = _read(new.place, services)
    if before is not None and before.generation == new.generation and before.true_of:
        return None  # a redelivery
    _keep(new, services)
    data = _data_beside(new, bucket, services)
    if data is None or not new.may_mean(data):
        return None
    record = _loaded(data, new, services)
    if record is None:
        return None
    try:
        facts = check(new.stated, new.object, found_in(data, record), lambda: services.object_store.open(data))
    except PermanentError as error:
        if before is not None and before.true_of == data.generation:
            log("INFO", f"{new.object} is of a file to come: {data.name} is as stated before", load_id=record.load_id)
            return None
        return Comparison(data, record, new, error)
    return Comparison(data, record, new, None, facts)


def agreed(found: Comparison, services: Services) -> None:
    """Keep that a statement is true of a file: the last thing, so that a redelivery makes up for a kill before it."""
    _keep(replace(found.statement, true_of=found.ref.generation), services)


def _loaded(data: ObjectRef, new: Statement, services: Services) -> StageRecord | None:
    """Return the record of a loaded file; a file that a control file refused before is read again."""
    story = services.ledger.story(Asked(data.load_id, data.landed_on), "ingest")
    record = story.stages.get("ingest")
    if record is None:
        if story.tries.failed or story.tries.deferred:
            raise TransientError("data_not_read_yet", f"{data.name} is being read; {new.object} is compared after it")
        return None
    if record.reason_code in CODES and record.finished_at < new.landed_at:
        services.publisher.publish_all(services.settings.landing_topic, [announcement(data)])
    return record if record.state == "loaded" else None


def _data_beside(new: Statement, bucket: str, services: Services) -> ObjectRef | None:
    """Return the file that a statement is about: the one of that name, else the only one of that stem."""
    folder = PurePosixPath(new.object).parent
    named = services.object_store.stat(bucket, f"{folder}/{new.stated.about}")
    return named or _only_one(bucket, f"{folder}/{new.stated.about}.", services)


def _only_one(bucket: str, stem: str, services: Services) -> ObjectRef | None:
    """Return the one data file whose name is a stem and an ending; None when there are several."""
    found = [o for o in services.object_store.list(bucket, stem) if _is_data(o, stem)]
    return found[0] if len(found) == 1 else None


def _is_data(ref: ObjectRef, stem: str) -> bool:
    rest = ref.name.removeprefix(stem)
    return "/" not in rest and not is_control(PurePosixPath(ref.name).name.lower(), ref.size)


def statements(ref: ObjectRef, services: Services) -> Iterator[Statement]:
    """Yield what was stated of a data file, by its name or by its stem where no other file has that."""
    path = PurePosixPath(ref.name)
    by_name, by_stem = (_folder(str(path.parent), about) for about in (path.name, path.stem))
    for place in _kept_for(by_name, by_stem, services):
        statement = _read(place, services)
        if statement is None or not statement.may_mean(ref):
            continue
        if place.startswith(by_name) or _is_only_one(ref, f"{path.parent}/{path.stem}.", services):
            yield statement


def _kept_for(by_name: str, by_stem: str, services: Services) -> list[str]:
    """Return the places in both folders, by one listing: ``x.csv/`` sorts before ``x/``, little between them."""
    stem = by_stem.removesuffix("/")
    end = f"{stem}{chr(ord('/') + 1)}"
    kept = services.object_store.list(services.settings.staging_bucket, stem, start=by_name, end=end)
    return [o.name for o in kept if o.name.startswith((by_name, by_stem))]


def _is_only_one(ref: ObjectRef, stem: str, services: Services) -> bool:
    only = _only_one(ref.bucket, stem, services)
    return only is not None and only.name == ref.name


def _folder(folder: str, about: str) -> str:
    return f"control/{folder}/{about}/"


def _keep(statement: Statement, services: Services) -> None:
    services.object_store.write(
        services.settings.staging_bucket, statement.place, statement.written(), "application/json"
    )


def _read(place: str, services: Services) -> Statement | None:
    try:
        row = json.loads(services.object_store.read(services.settings.staging_bucket, place))
    except FileNotFoundError:
        return None
    return Statement(
        **{**row, "stated": Stated(**row["stated"]), "landed_at": datetime.fromisoformat(row["landed_at"])}
    )
