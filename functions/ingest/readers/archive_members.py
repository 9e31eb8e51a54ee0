"""The members of a ZIP archive: files of data, control files that stand beside them, and what is neither."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath

from functions.ingest.control import is_control
from functions.ingest.readers.formats import EXTENSIONS

_PACKED = (".gz", ".zst", ".bz2")
_SYSTEM = {"thumbs.db", "desktop.ini"}
_WORDS = r"read[-_ ]?me|lies[-_ ]?mich|lisez[-_ ]?moi|l[eé]ame|leggimi|licen[cs]e|copying|copyright|changelog"
_ABOUT = re.compile(rf"(?:{_WORDS})(?:[-_. ](?:first|1st|en|fr|de|es|it))?(?:\.(?:txt|md|rst|pdf|html?|rtf|docx?))?")
EMPTY, SYSTEM, ABOUT, UNKNOWN = "empty", "of the system", "not data by its name", "its ending is not one of data"


@dataclass(frozen=True)
class Members:
    """What an archive holds, in the order of names: data, control files, and the others, each with why."""

    data: tuple[zipfile.ZipInfo, ...]
    control: tuple[zipfile.ZipInfo, ...]
    left_out: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, archive: zipfile.ZipFile) -> "Members":
        """Return them sorted out: where any file has an ending of data, only those that have one are data."""
        files = sorted((i for i in archive.infolist() if not i.is_dir()), key=lambda i: i.filename)
        control = [i for i in files if not _is_of_the_system(i) and is_control(name_in(i).lower(), i.file_size)]
        candidates = [i for i in files if i not in {*control} and not _why_not(i)]
        data = [i for i in candidates if _is_known(i)] or candidates
        kept = {*control, *data}
        left_out = [(i.filename, _why_not(i) or UNKNOWN) for i in files if i not in kept]
        return cls(tuple(data), tuple(control), tuple(left_out))

    def about(self, control: zipfile.ZipInfo, name: str) -> zipfile.ZipInfo | None:
        """Return the file of its folder that a control file speaks of: of that name, else the only one of that stem."""
        beside = [i for i in self.data if _folder(i) == _folder(control)]
        named = [i for i in beside if name_in(i) == name]
        of_stem = [i for i in beside if name_in(i).startswith(f"{name}.")]
        found = named or of_stem
        return found[0] if len(found) == 1 else None


def _why_not(info: zipfile.ZipInfo) -> str:
    """Return why a member is not data, as far as its name and size tell; an empty text when it may be."""
    if _is_of_the_system(info):
        return SYSTEM
    if _ABOUT.fullmatch(name_in(info).lower()):
        return ABOUT
    return "" if info.file_size else EMPTY


def _is_of_the_system(info: zipfile.ZipInfo) -> bool:
    """Whether a member is what macOS, Windows and others put beside the files; ``..`` is only another folder."""
    parts = PurePosixPath(info.filename).parts
    hidden = any(p.startswith((".", "__MACOSX")) and p not in {".", ".."} for p in parts)
    return hidden or name_in(info).lower() in _SYSTEM


def _is_known(info: zipfile.ZipInfo) -> bool:
    name = info.filename.lower()
    return name.removesuffix(next((p for p in _PACKED if name.endswith(p)), "")).endswith(EXTENSIONS)


def name_in(info: zipfile.ZipInfo) -> str:
    """Return a member's name without its folders."""
    return info.filename.replace("\\", "/").rpartition("/")[2]


def _folder(info: zipfile.ZipInfo) -> str:
    return info.filename.replace("\\", "/").rpartition("/")[0]
