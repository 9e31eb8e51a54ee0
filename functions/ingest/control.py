"""Files beside the data: markers and checksums, and what they state of the file they stand beside."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

HEAD = 65_536  # bytes of a control file that are looked at
_CHECKSUMS = {".md5": 32, ".sha1": 40, ".sha256": 64, ".sha512": 128, ".md5sum": 32, ".sha1sum": 40, ".sha256sum": 64}
_CHECKS = {*_CHECKSUMS, ".sha512sum", ".crc", ".crc32", ".cksum", ".sfv", ".sig", ".asc"}
_MARKS = {".ok", ".done", ".ctl", ".ctrl", ".trg", ".trigger", ".sem", ".rdy", ".ready", ".fin", ".eot", ".eof", ".flg"}
_MARKS |= {".flag", ".go", ".cnt", ".count", ".complete", ".finished"}
_NAMES = re.compile(r"(?:md5|sha1|sha256|sha512|check)sums?(?:\.txt)?")
_DATA = {
    ".csv",
    ".tsv",
    ".txt",
    ".tab",
    ".psv",
    ".dat",
    ".json",
    ".jsonl",
    ".ndjson",
    ".parquet",
    ".pq",
    ".avro",
    ".xml",
}
_DATA |= {".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".gz", ".zip", ".zst", ".edi"}
_BY_LENGTH = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}

_SUM = re.compile(r"(?i)(?<![0-9a-f])(?:[0-9a-f]{128}|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![0-9a-f])")
_LISTED = re.compile(r"(?i)([0-9a-f]{32,128})[ \t]+[*]?(\S.*)")  # as md5sum writes it
_BSD = re.compile(r"(?i)(?:MD5|SHA\d+)[ ]?\((.+)\)[ ]?=[ ]?([0-9a-f]{32,128})")
_ROWS = re.compile(
    r"(?i)\b(?:rows?|records?|lines?|lignes?|enregistrements?|zeilen|count|nb|nombre)\w*\W{0,3}(\d{1,12})\b"
)
_ROWS_AFTER = re.compile(r"(?i)\b(\d{1,12})\s+(?:rows?|records?|lines?|lignes?|enregistrements?|zeilen)\b")
_BYTES = re.compile(r"(?i)\b(?:bytes|size|taille|octets)\w*\W{0,3}(\d{1,15})\b")
_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True)
class Stated:
    """What a control file says of one file. ``about``: its name; ``checksum``: in small hexadecimal letters."""

    about: str
    rows: int | None = None
    size: int | None = None
    algorithm: str = ""
    checksum: str = ""


def is_control(name: str, size: int | None = None) -> bool:
    """Whether a file of that name (in small letters) stands beside data: by its ending, or empty with none of data."""
    suffix = PurePosixPath(name).suffix
    return suffix in _MARKS | _CHECKS or bool(_NAMES.fullmatch(name)) or (size == 0 and suffix not in _DATA)


def stated(name: str, content: bytes) -> tuple[Stated, ...]:
    """Return what a control file of that name states; nothing when it is only a marker.

    The file that it is about is the one it names, else the one whose name it bears before its own ending.
    """
    text = content[:HEAD].decode("utf-8", "replace").lstrip("\ufeff").replace("\0", "")
    if listed := tuple(_listed(text)):
        return listed
    about = PurePosixPath(name).stem
    found = Stated(about, _rows(text), _number(_BYTES, text), *_checksum(text))
    return (found,) if found != Stated(about) else ()


def _listed(text: str) -> list[Stated]:
    """Return the lines of a list of checksums."""
    found = []
    for line in text.splitlines():
        if match := _LISTED.fullmatch(line.strip()):
            checksum, about = match[1], match[2]
        elif match := _BSD.fullmatch(line.strip()):
            about, checksum = match[1], match[2]
        else:
            continue
        if len(checksum) in _BY_LENGTH:
            found.append(Stated(PurePosixPath(about).name, None, None, _BY_LENGTH[len(checksum)], checksum.lower()))
    return found


def _checksum(text: str) -> tuple[str, str]:
    found = _SUM.search(text)
    return (_BY_LENGTH[len(found[0])], found[0].lower()) if found else ("", "")


def _rows(text: str) -> int | None:
    """A number that is called a count, or that stands alone and is not a date."""
    alone = text.strip()
    if alone.isascii() and alone.isdigit() and len(alone) <= 12:
        return None if _DATE.fullmatch(alone) else int(alone)
    return _number(_ROWS, text) if _ROWS.search(text) else _number(_ROWS_AFTER, text)


def _number(pattern: re.Pattern[str], text: str) -> int | None:
    """Return the one number that a text calls so; None when it says several."""
    found = {int(m[1]) for m in pattern.finditer(text)}
    return found.pop() if len(found) == 1 else None
