"""Cloud Storage."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, cast

import requests
from google.api_core import exceptions as api
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials

from stockflow.errors import TransientError
from stockflow.events import ObjectRef, object_from_resource
from stockflow.gcp.lean import SIGNING, Late
from stockflow.settings import Settings

with Late(SIGNING):
    from google.cloud import storage
    from google.cloud.storage.exceptions import InvalidResponse

CHUNK = 8 << 20
# Else the client asks for each bucket's metadata in a thread beside, for traces of its own that nobody switched on: a
# request that the functions' roles do not allow.
_NO_BUCKET_METADATA = "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"
_REQUEST_SECONDS, _BYTES_A_SECOND = 60.0, 5_000_000
_PASSING = (
    api.ServerError, api.TooManyRequests, api.RetryError, InvalidResponse, requests.ConnectionError, requests.Timeout,
)  # fmt: skip


@contextmanager
def _service_errors(what: str) -> Iterator[None]:
    """Turn what Cloud Storage cannot do now into a TransientError."""
    try:
        yield
    except _PASSING as error:
        words = getattr(error, "message", None) or error
        raise TransientError("storage_unavailable", f"Cloud Storage, {what}: {words}") from error


class _Reading(io.RawIOBase):
    """An object's bytes; a service that fails in the middle is a TransientError, and so is an object that went.

    ``left``: how many bytes are to be read; all, when None.
    """

    def __init__(self, stream: BinaryIO, name: str, left: int | None = None) -> None:
        self._stream, self._name, self._left = stream, name, left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer."""
        try:
            with _service_errors(f"reading {self._name}"):
                data = self._stream.read(len(buffer) if self._left is None else min(self._left, len(buffer)))
        except api.NotFound as error:
            raise TransientError("object_changed", f"{self._name} went while it was read") from error
        buffer[: len(data)] = data
        if self._left is not None:
            self._left -= len(data)
        return len(data)


class ObjectStore:
    """Cloud Storage: objects in, staged files and reports out.

    Every method raises TransientError ``storage_unavailable`` for what the service cannot do now.
    """

    def __init__(self, settings: Settings) -> None:
        self._client = _storage_client(settings)

    @property
    def client(self) -> storage.Client:
        """The client itself, to look at buckets."""
        return self._client

    def stat(self, bucket: str, name: str, generation: int | None = None) -> ObjectRef | None:
        """Return the live generation of an object (or the one asked for), or None when there is none."""
        with _service_errors(f"looking at gs://{bucket}/{name}"):
            blob = self._client.bucket(bucket).get_blob(name, generation=generation)
        return None if blob is None else _object(blob)

    def open(self, ref: ObjectRef) -> BinaryIO:
        """Return a stream of the object's bytes (not decompressed).

        The caller compares ``stat`` with the announced generation: an emulator does not enforce
        the generation of a download.
        """
        blob = self._client.bucket(ref.bucket).blob(ref.name, generation=ref.generation)
        stream: BinaryIO = blob.open("rb", raw_download=True, chunk_size=CHUNK)
        return cast("BinaryIO", _Reading(stream, f"gs://{ref.bucket}/{ref.name}"))

    def open_range(self, ref: ObjectRef, start: int, end: int) -> BinaryIO:
        """Return a stream of the bytes from ``start`` up to ``end``, read as they are asked for."""
        blob = self._client.bucket(ref.bucket).blob(ref.name, generation=ref.generation)
        stream: BinaryIO = blob.open("rb", raw_download=True, chunk_size=CHUNK)
        stream.seek(start)
        place = f"gs://{ref.bucket}/{ref.name}"
        return cast("BinaryIO", io.BufferedReader(_Reading(stream, place, end - start), CHUNK))

    def open_random(self, bucket: str, name: str) -> BinaryIO:
        """Return an object's bytes as a file that can be read from any place, in bounded memory."""
        stream: BinaryIO = self._client.bucket(bucket).blob(name).open("rb", chunk_size=CHUNK)
        return stream

    @contextmanager
    def create(self, bucket: str, name: str, content_type: str) -> Iterator[BinaryIO]:
        """Write an object as it is made, in bounded memory; an exception leaves no object behind."""
        writer = self._client.bucket(bucket).blob(name).open("wb", chunk_size=CHUNK, content_type=content_type)
        with _service_errors(f"writing gs://{bucket}/{name}"):
            try:
                yield writer
            except BaseException:
                with suppress(Exception):  # the upload was never finished: nobody can see it
                    writer.terminate()
                raise
            writer.close()

    def read(self, bucket: str, name: str) -> bytes:
        """Return an object's bytes.

        Raises:
            FileNotFoundError: when there is no such object.
        """
        try:
            with _service_errors(f"reading gs://{bucket}/{name}"):
                data: bytes = self._client.bucket(bucket).blob(name).download_as_bytes()
        except api.NotFound as error:
            raise FileNotFoundError(f"gs://{bucket}/{name}") from error
        return data

    def write(self, bucket: str, name: str, data: bytes | BinaryIO, content_type: str) -> str:
        """Write an object and return its ``gs://`` URI; what the client may send at once (8 MiB) is one request."""
        blob, place = self._client.bucket(bucket).blob(name), f"gs://{bucket}/{name}"
        stream = io.BytesIO(data) if isinstance(data, bytes) else data
        size = _size(stream)
        with _service_errors(f"writing {place}"), _upload_session(place):
            blob.upload_from_file(stream, size=size, content_type=content_type, timeout=_patience(size))
        return place

    def replace(self, bucket: str, name: str, data: bytes, content_type: str, generation: int) -> int | None:
        """Write an object in the place of one generation of it (0: there is none); return the new generation.

        None when another one is there meanwhile: then nothing was written.
        """
        blob = self._client.bucket(bucket).blob(name)
        try:
            with _service_errors(f"writing gs://{bucket}/{name}"):
                blob.upload_from_string(data, content_type=content_type, if_generation_match=generation)
        except api.PreconditionFailed:
            return None
        return int(blob.generation)

    def list(
        self, bucket: str, prefix: str = "", versions: bool = False, start: str = "", end: str = ""
    ) -> Iterator[ObjectRef]:
        """Yield the live objects below a prefix by name, from ``start`` on and before ``end``.

        With ``versions`` the generations that versioning kept come, too.
        """
        given = {"prefix": prefix, "start_offset": start, "end_offset": end, "versions": versions}
        options = {name: value for name, value in given.items() if value}
        with _service_errors(f"listing gs://{bucket}/{prefix}"):
            for blob in self._client.list_blobs(bucket, **options):
                yield _object(blob)

    def delete(self, bucket: str, name: str, generation: int | None = None) -> None:
        """Delete an object, or one generation of it for good; one that is gone already is fine."""
        with suppress(api.NotFound), _service_errors(f"deleting gs://{bucket}/{name}"):
            self._client.bucket(bucket).blob(name, generation=generation).delete()

    def ensure_bucket(self, bucket: str, location: str) -> None:
        """Create a bucket unless it is there."""
        with suppress(api.Conflict):
            self._client.create_bucket(bucket, location=location)


def _size(stream: BinaryIO) -> int | None:
    """Return how many bytes are left in a stream; None when only reading tells."""
    if not stream.seekable():
        return None
    start, end = stream.tell(), stream.seek(0, io.SEEK_END)
    stream.seek(start)
    return end - start


def _patience(size: int | None) -> float:
    """Return the seconds that one request of an upload may take: the last one ends when all of the object is stored.

    A minute is the client's own; an emulator stores 2 GB in about as long, and the client would send it again.
    """
    return _REQUEST_SECONDS + (size or 0) / _BYTES_A_SECOND


@contextmanager
def _upload_session(place: str) -> Iterator[None]:
    """An upload session that the service no longer knows (404 or 410 to a PUT) is begun again by the next delivery.

    Source: Cloud Storage, "Resumable uploads", handling errors. An emulator forgets a session once it is complete.
    """
    try:
        yield
    except api.ClientError as error:
        if error.code not in (404, 410) or error.response.request.method != "PUT":
            raise  # such as a bucket that is not there
        raise TransientError(
            "storage_unavailable", f"Cloud Storage, writing {place}: its upload session went"
        ) from error


def _storage_client(settings: Settings) -> storage.Client:
    os.environ.setdefault(_NO_BUCKET_METADATA, "true")
    if settings.storage_endpoint is None:
        return storage.Client(project=settings.project)
    options = ClientOptions(api_endpoint=settings.storage_endpoint)
    return storage.Client(
        project=settings.project, credentials=AnonymousCredentials(), client_options=options, _http=requests.Session()
    )


def _object(blob: storage.Blob) -> ObjectRef:
    return object_from_resource({**blob._properties, "bucket": blob.bucket.name})
