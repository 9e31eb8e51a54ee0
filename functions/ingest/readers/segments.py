"""Segments of electronic messages (X12, EDIFACT): cut apart in parts, each with its number from 1.

A message has no lines that count: it may stand in a single one. So ``_line`` is the number of a segment.
"""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from functions.ingest.readers.json_text import readable_text
from functions.ingest.readers.model import KEPT_TEXT
from stockflow.errors import PermanentError

MAX_SEGMENT = 100_000  # characters; the longest of both standards have a few thousand
SHOWN = 80
_DECODER = codecs.getincrementaldecoder("utf-8")
_BLANKS = "\r\n\t \x1a\0"


@dataclass(frozen=True)
class Signs:
    """What separates: elements, their components, segments; ``release`` takes the meaning from the sign behind it."""

    element: str
    component: str
    end: str
    release: str = ""

    @cached_property
    def _segment(self) -> re.Pattern[str]:
        end = re.escape(self.end)
        if not self.release:
            return re.compile(rf"[^{end}]*+{end}")
        release = re.escape(self.release)
        return re.compile(rf"(?s)(?:[^{end}{release}]|{release}.)*+{end}")

    @cached_property
    def _cuts(self) -> dict[str, re.Pattern[str]]:
        before = rf"(?<!{re.escape(self.release)})" if self.release else ""
        return {sign: re.compile(before + re.escape(sign)) for sign in (self.element, self.component)}

    def segment(self, text: str, start: int) -> re.Match[str] | None:
        """Match the segment that starts there, with its end sign."""
        return self._segment.match(text, start)

    def split(self, text: str, sign: str) -> list[str]:
        """Return what stands between a sign, released ones left alone."""
        if not self.release or self.release not in text:
            return text.split(sign)
        release = self.release
        kept = text.replace(release * 2, "\0")  # a released release sign releases nothing
        return [part.replace("\0", release * 2) for part in self._cuts[sign].split(kept)]

    def plain(self, text: str) -> str:
        """Return a value without its release signs."""
        if not self.release or self.release not in text:
            return text.strip()
        return re.sub(rf"(?s){re.escape(self.release)}(.)", r"\1", text).strip()


@dataclass(frozen=True)
class Segment:
    """One segment: ``text`` as it stands in the file, without its end sign."""

    number: int
    text: str
    signs: Signs

    @cached_property
    def elements(self) -> list[str]:
        """The elements, as written; the first one is the tag."""
        return self.signs.split(self.text, self.signs.element)

    @property
    def tag(self) -> str:
        """What kind of segment it is."""
        return self.elements[0].partition(self.signs.component)[0].strip().upper()

    def get(self, element: int, component: int = 0) -> str:
        """Return a value; an absent one is empty."""
        if element >= len(self.elements):
            return ""
        parts = self.signs.split(self.elements[element], self.signs.component)
        return self.signs.plain(parts[component]) if component < len(parts) else ""

    def pairs(self, start: int) -> Iterator[tuple[str, str]]:
        """Yield qualifier and value of the elements from ``start`` on."""
        for place in range(start, len(self.elements) - 1, 2):
            if self.get(place) and self.get(place + 1):
                yield self.get(place), self.get(place + 1)

    @property
    def shown(self) -> str:
        """The segment for a message."""
        return f"segment {self.number} ({readable_text(self.text[:SHOWN])})"


def segments(
    parts: Iterable[bytes], name: str, kind: str, signs_of: Callable[[str, int], tuple[Signs, int] | None]
) -> Iterator[Segment]:
    """Yield the segments of all interchanges of a file.

    ``signs_of`` returns the signs of the interchange that begins at a place of a text, and how many characters only
    name them; None when none begins there. An interchange behind another may have other signs.

    Raises:
        PermanentError: ``truncated_<kind>`` when the last segment has no end, ``bad_<kind>`` when one is too long.
    """
    texts = _texts(parts)
    text, place, number, ended = "", 0, 0, False
    signs: Signs | None = None
    named = False  # whether the signs of this very segment are known already
    while True:
        while not ended and len(text) - place < MAX_SEGMENT:
            more = next(texts, None)
            ended = more is None
            text, place = text[place:] + (more or ""), 0
        place = _behind_blanks(text, place)
        if not named and (found := signs_of(text, place)):
            signs, named = found[0], found[1] > 0
            place = _behind_blanks(text, place + found[1])
        if place >= len(text):
            if ended:
                return
            continue
        match = signs.segment(text, place) if signs else None
        if match is None or signs is None or match.end() - place > MAX_SEGMENT:
            raise _endless(readable_text(text[place : place + SHOWN]), number + 1, name, kind, ended)
        number, place, named = number + 1, match.end(), False
        yield Segment(number, match[0][:-1].strip(_BLANKS), signs)


def _texts(parts: Iterable[bytes]) -> Iterator[str]:
    decoder = _DECODER("surrogateescape")
    yield from (decoder.decode(part) for part in parts)
    yield decoder.decode(b"", final=True)


def _behind_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place] in _BLANKS:
        place += 1
    return place


def _endless(text: str, number: int, name: str, kind: str, ended: bool) -> PermanentError:
    if ended:
        return PermanentError(
            f"truncated_{kind}",
            f"{name}: segment {number} ({text}) has no end: the file was cut in transfer; send it again",
            segment=number,
        )
    return PermanentError(
        f"bad_{kind}",
        f"{name}: segment {number} ({text}) has more than {MAX_SEGMENT:,} characters; expected short segments that "
        "each end with the sign that the head of the file names",
        segment=number,
    )


def damaged(code: str, name: str, segment: Segment, why: str) -> PermanentError:
    """Return the error of a message that is not whole."""
    message = f"{name}: {segment.shown}: {readable_text(why)}. Send the file again"
    return PermanentError(code, message, segment=segment.number)


def cancelled(name: str, segment: Segment) -> PermanentError:
    """Return the error of a message that takes another one back."""
    return PermanentError(
        "cancellation",
        f"{name}: {segment.shown} cancels an earlier message, which a file cannot do here; "
        "expected the right quantities, which take the place of the wrong ones",
        segment=segment.number,
    )


def undecodable(text: str) -> bool:
    """Whether a text holds bytes that the file's encoding does not have."""
    return not text.isascii() and any("\udc80" <= c <= "\udcff" for c in text)


def kept_text(parts: list[Segment]) -> str:
    """Return segments as they stand in the file, cut when they are very many."""
    size = 0
    kept: list[str] = []
    for part in parts:
        size += len(part.text) + 1
        if size > KEPT_TEXT:
            kept.append(f"... ({len(parts)} segments)")
            break
        kept.append(part.text + part.signs.end)
    return readable_text("".join(kept))
