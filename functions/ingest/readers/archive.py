"""A ZIP archive with files of data: each member is read in turn, as if it had landed in the archive's place."""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from functions.ingest.readers.formats import EXTENSIONS
from functions.ingest.readers.model import Chunk, Facts, Reject, Target, listed
from functions.ingest.readers.source import PEEK, too_large
from stockflow.errors import PermanentError

MAX_MEMBERS = 1_000
NAMED = 20
_PACKED = (".gz", ".zst", ".bz2")
_SUMS = {"physical_lines", "blank_lines", "preamble_lines", "header_lines", "continuation_lines", "hidden_rows"}
Decode = Callable[[BinaryIO, Target, Facts], Iterator[Chunk]]


class _Limited(io.RawIOBase):
    """A member's bytes, as many as the archive may hold unpacked; damage is a permanent error."""

    def __init__(self, stream: BinaryIO, name: str, left: list[int], limit: int) -> None:
        self._stream, self._name, self._left, self._limit = stream, name, left, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer."""
        try:
            data = self._stream.read(len(buffer))
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            raise corrupt_archive(self._name, error) from error
        self._left[0] -= len(data)
        if self._left[0] < 0:
            raise too_large(self._name, f"more than {self._limit:,} bytes when unpacked", self._limit, "zip")
        buffer[: len(data)] = data
        return len(data)


def corrupt_archive(name: str, error: object) -> PermanentError:
    """Return the error of an archive that is damaged."""
    return PermanentError("corrupt_archive", f"the zip file {name} is damaged ({str(error)[:200]}); send it again")


def members(whole: BinaryIO, target: Target, facts: Facts, limit: int, decode: Decode) -> Iterator[Chunk]:
    """Yield the rows and rejects of all members; all must have the same header.

    ``_line`` counts within a member; ``facts["members"]`` says in which order and how many rows each gave, and the
    message of a reject names its member.

    Raises:
        PermanentError: ``protected_archive``, ``corrupt_archive``, ``empty_archive``,
            ``archive_members_differ``, or a member's own.
    """
    with zipfile.ZipFile(whole) as archive:
        chosen = _chosen(archive, target)
        left, header, counts = [limit], None, []
        for info in chosen:
            found = Facts()
            inner = replace(target, name=f"{target.name}/{info.filename}")
            rows = 0
            with _opened(archive, info, target) as member:
                stream = io.BufferedReader(_Limited(member, inner.name, left, limit), PEEK)
                for chunk in decode(cast("BinaryIO", stream), inner, found):
                    rows += chunk.batch.num_rows if chunk.batch is not None else 0
                    yield _named(chunk, info.filename) if len(chosen) > 1 else chunk
            header = header or found.values.get("header")
            if found.values.get("header") != header:
                raise _differ(chosen[0], info, target)
            counts.append({"name": info.filename, "rows": rows})
            _add(facts, found)
        facts.note(members=counts[:NAMED], member_count=len(counts))


def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Target) -> BinaryIO:
    try:
        return cast("BinaryIO", archive.open(info))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise corrupt_archive(target.name, error) from error


def _chosen(archive: zipfile.ZipFile, target: Target) -> list[zipfile.ZipInfo]:
    """Return the members with data: where any has a known extension, those that have one."""
    found = [i for i in archive.infolist() if not i.is_dir() and not _is_hidden(i.filename) and i.file_size]
    known = [i for i in found if i.filename.lower().removesuffix(_packing(i.filename)).endswith(EXTENSIONS)]
    chosen = known or found
    if any(i.flag_bits & 1 for i in chosen):
        raise PermanentError("protected_archive", f"{target.name} is protected by a password; pack it without one")
    if not chosen:
        raise PermanentError("empty_archive", f"{target.name} has no file with anything in it; send it again")
    if len(chosen) > MAX_MEMBERS:
        raise too_large(target.name, f"{len(chosen):,} members", MAX_MEMBERS, "zip")
    return sorted(chosen, key=lambda i: i.filename)


def _packing(name: str) -> str:
    return next((p for p in _PACKED if name.lower().endswith(p)), "")


def _is_hidden(name: str) -> bool:
    """Whether a member is what macOS and others put beside the files."""
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _named(chunk: Chunk, member: str) -> Chunk:
    return replace(chunk, rejects=tuple(_in(r, member) for r in chunk.rejects))


def _in(reject: Reject, member: str) -> Reject:
    return replace(reject, message=f"{member}: {reject.message}")


def _add(facts: Facts, found: Facts) -> None:
    for name, value in found.values.items():
        _merge(facts.values, name, value)


def _merge(values: dict[str, Any], name: str, value: Any) -> None:
    if name in _SUMS:
        values[name] = values.get(name, 0) + value
    elif name not in {"format", "gzip"}:
        values.setdefault(name, value)


def _differ(first: zipfile.ZipInfo, other: zipfile.ZipInfo, target: Target) -> PermanentError:
    return PermanentError(
        "archive_members_differ",
        f"{target.name}: {listed([first.filename, other.filename])} have different headers; "
        "expected files of one kind. Send each file for itself",
        members=[first.filename, other.filename],
    )
