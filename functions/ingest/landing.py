"""The announced generation: is it still there, what is its MD5, and how is it read."""

from base64 import b64encode
from hashlib import md5
from typing import BinaryIO, cast

from functions.ingest.limits import in_one_call
from functions.ingest.readers.model import Facts
from functions.ingest.readers.source import Hashing, too_large
from stockflow.errors import PermanentError, TransientError
from stockflow.events import ObjectRef
from stockflow.services import Services


class GoneError(PermanentError):
    """The announced generation cannot be read any more; ``code`` says why."""


def check_there(ref: ObjectRef, services: Services) -> None:
    """See that the announced generation can be read: the live one, or one that versioning kept.

    Raises:
        GoneError: ``superseded_generation`` when a newer one is there and this one is not. Nothing is lost: the
            newer one has a notification of its own. ``object_gone`` when the object was deleted.
    """
    found = services.object_store.stat(ref.bucket, ref.name, ref.generation)
    if found is not None and found.generation == ref.generation:
        return
    live = services.object_store.stat(ref.bucket, ref.name)
    if live is None:
        raise GoneError("object_gone", f"gs://{ref.bucket}/{ref.name} was deleted before it was read")
    raise GoneError(
        "superseded_generation",
        f"generation {ref.generation} was replaced by {live.generation} before it was read; that one is announced too",
    )


def check_size(ref: ObjectRef, services: Services) -> None:
    """See that the object is not larger than one call takes.

    Raises:
        PermanentError: ``too_large_for_function``.
    """
    if ref.size > services.settings.max_file_bytes:
        raise too_large(ref.name, f"{ref.size:,} bytes", services.settings.max_file_bytes)


def check_time(ref: ObjectRef, facts: Facts, services: Services) -> None:
    """See that one call has the time to read the object, now that its format is known.

    Raises:
        PermanentError: ``too_large_for_function``, where Dataflow can read it instead.
    """
    limit = in_one_call(facts.format, "packed" in facts.values)
    if services.settings.dataflow_template and ref.size > limit:
        raise too_large(ref.name, f"{ref.size:,} bytes", limit, facts.format)


def content_md5(ref: ObjectRef, services: Services) -> str:
    """Return the MD5 of the object's bytes; a composite object has none of its own, so it is read."""
    if ref.md5:
        return ref.md5
    hasher = md5(usedforsecurity=False)
    with services.object_store.open(ref) as stream:
        while part := stream.read(1 << 20):
            hasher.update(part)
    return b64encode(hasher.digest()).decode()


class Content:
    """The object's bytes, checked against their MD5 once they are read."""

    def __init__(self, ref: ObjectRef, expected_md5: str, services: Services) -> None:
        self._ref = ref
        self._expected = expected_md5
        self._hashing = Hashing(services.object_store.open(ref))

    @property
    def stream(self) -> BinaryIO:
        """What the readers read."""
        return cast("BinaryIO", self._hashing)

    def verify(self) -> None:
        """See that what was read is what was announced.

        Raises:
            TransientError: ``content_changed``; the next delivery sees what is there now.
        """
        found = self._hashing.drain()
        if found != self._expected:
            raise TransientError(
                "content_changed",
                f"gs://{self._ref.bucket}/{self._ref.name} has MD5 {found}, announced was {self._expected}",
            )
