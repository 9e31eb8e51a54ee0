"""A ZIP archive with files of data: each member is read in turn, as if it had landed in the archive's place."""

import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, BinaryIO, cast

from functions.ingest.agreement import Found, not_counted
from functions.ingest.readers.archive_control import Control, same_count
from functions.ingest.readers.archive_members import Members
from functions.ingest.readers.model import Chunk, Facts, Reject, Target, listed
from functions.ingest.readers.source import PEEK, too_large
from functions.ingest.readers.trailer import same_reading
from stockflow.errors import PermanentError

MAX_MEMBERS = 1_000
NAMED = 20
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
_SUMS = {
    "physical_lines", "blank_lines", "preamble_lines", "header_lines", "continuation_lines", "short_lines",
    "hidden_rows",
}  # fmt: skip
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
        except _DAMAGE as error:
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
    message of a reject names its member. ``facts["control_files"]`` says which files stood beside the data and were
    compared with them, ``facts["left_out"]`` which were not read, and why.

    Raises:
        PermanentError: ``protected_archive``, ``corrupt_archive``, ``empty_archive``,
            ``archive_members_differ``, one of ``agreement.CODES``, or a member's own.
    """
    with zipfile.ZipFile(whole) as archive:
        inside = _checked(Members.of(archive), target)
        control = _control(archive, inside, target)
        facts.note(**_besides(inside, control))
        left, header, counts, stated = [limit], None, [], dict[str, Any]()
        for info in inside.data:
            member = _Member(archive, info, target)
            for chunk in member.chunks(left, limit, decode):
                yield _named(chunk, info.filename) if len(inside.data) > 1 else chunk
            header = header or member.facts.values.get("header")
            if member.facts.values.get("header") != header:
                raise _differ(inside.data[0], info, target)
            if reading := member.facts.values.get("trailer_counts"):
                same_reading(facts.values.get("trailer_counts"), reading, f"{target.name}/{info.filename}")
            stated = same_count(stated, control.check(info, member.found()), f"{target.name}/{info.filename}")
            counts.append({"name": info.filename, "rows": member.rows})
            _add(facts, member.facts, info.filename)
        facts.note(members=counts, member_count=len(counts), **stated)


class _Member:
    """One file of data in an archive, and what was found in it."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Target) -> None:
        self._archive, self._info, self._whole = archive, info, target
        self._target = replace(target, name=f"{target.name}/{info.filename}")
        self.facts, self.rows = Facts(), 0
        self._codes: Counter[str] = Counter()

    def chunks(self, left: list[int], limit: int, decode: Decode) -> Iterator[Chunk]:
        """Yield its chunks; an error that does not name it gets its name."""
        try:
            with _opened(self._archive, self._info, self._whole) as stream:
                limited = io.BufferedReader(_Limited(stream, self._target.name, left, limit), PEEK)
                yield from map(self._seen, decode(cast("BinaryIO", limited), self._target, self.facts))
        except PermanentError as error:
            raise _naming(error, self._info.filename, self._target.name) from error

    def _seen(self, chunk: Chunk) -> Chunk:
        self.rows += chunk.batch.num_rows if chunk.batch is not None else 0
        self._codes.update(r.code for r in chunk.rejects)
        return chunk

    def found(self) -> Found:
        """Return what a control file may speak of."""
        detail = {**self.facts.values, "not_counted": not_counted(self._codes)}
        return Found(self._target.name, self._info.file_size, "", self.rows, self._codes.total(), detail)


def _naming(error: PermanentError, member: str, name: str) -> PermanentError:
    if member in error.message:
        return error
    return PermanentError(error.code, f"{name}: {error.message}", **error.facts)


def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Target) -> BinaryIO:
    try:
        return cast("BinaryIO", archive.open(info))
    except _DAMAGE as error:
        raise corrupt_archive(f"{target.name}/{info.filename}", error) from error


def _control(archive: zipfile.ZipFile, inside: Members, target: Target) -> Control:
    try:
        return Control.of(archive, inside)
    except _DAMAGE as error:
        raise corrupt_archive(target.name, error) from error


def _checked(inside: Members, target: Target) -> Members:
    """Return the members when there is data among them that can be read."""
    if any(i.flag_bits & 1 for i in (*inside.data, *inside.control)):
        raise PermanentError("protected_archive", f"{target.name} is protected by a password; pack it without one")
    if not inside.data:
        others = f" (left out: {listed(n for n, _ in inside.left_out[:NAMED])})" if inside.left_out else ""
        raise PermanentError("empty_archive", f"{target.name} has no file with data in it{others}; send it again")
    if len(inside.data) + len(inside.control) > MAX_MEMBERS:
        raise too_large(target.name, f"{len(inside.data):,} members", MAX_MEMBERS, "zip")
    return inside


def _besides(inside: Members, control: Control) -> dict[str, Any]:
    """Return what is noted of members without data."""
    left_out = [{"name": name, "why": why} for name, why in inside.left_out[:NAMED]]
    named = dict(list(control.notes.items())[:NAMED])
    return {k: v for k, v in (("left_out", left_out), ("control_files", named)) if v}


def _named(chunk: Chunk, member: str) -> Chunk:
    return replace(chunk, rejects=tuple(_in(r, member) for r in chunk.rejects))


def _in(reject: Reject, member: str) -> Reject:
    return replace(reject, message=f"{member}: {reject.message}")


def _add(facts: Facts, found: Facts, member: str) -> None:
    """Take over what was noted of a member: sums, doubts, what an archive in it left out; else the first one counts."""
    values = facts.values
    if "encoding_doubt" in found.values and "encoding_doubt" not in values:
        values.update({k: v for k, v in found.values.items() if k.startswith("encoding")})
    for name, value in found.values.items():
        _merge(values, name, _within(member, name, value))


def _merge(values: dict[str, Any], name: str, value: Any) -> None:
    if name in _SUMS:
        values[name] = values.get(name, 0) + value
    elif name == "left_out":
        values[name] = [*values.get(name, ()), *value][:NAMED]
    elif name == "control_files":
        values[name] = values.get(name, {}) | value
    elif name not in {"format", "gzip"}:
        values.setdefault(name, value)


def _within(member: str, name: str, value: Any) -> Any:
    """Return what an archive within the archive says of its members, with its own name in front of theirs."""
    if name == "left_out":
        return [{**one, "name": f"{member}/{one['name']}"} for one in value]
    return {f"{member}/{n}": note for n, note in value.items()} if name == "control_files" else value


def _differ(first: zipfile.ZipInfo, other: zipfile.ZipInfo, target: Target) -> PermanentError:
    return PermanentError(
        "archive_members_differ",
        f"{target.name}: {listed([first.filename, other.filename])} have different headers; "
        "expected files of one kind. Send each file for itself",
        members=[first.filename, other.filename],
    )
