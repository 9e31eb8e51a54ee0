"""Headers that no alias knows, with the column that may be meant, and measures that no header states."""

import re
from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any

from functions.ingest.readers.model import Target
from stockflow.contracts import normalise_header

# Columns that Stockflow itself puts into files of refused rows; they come back with the corrected ones.
ADDED = ("_error", "_column", "_suggestion", "refused_row")
_OWN = {normalise_header(name) for name in (*ADDED, "refused_because")}
LISTED = 60  # headers that are looked up
ALIKE = 0.75  # of two names, from which on one may be meant for the other
_MEASURES = {"number", "integer"}
_PARTS = re.compile(r"[A-ZÀ-Þ]+(?![a-zß-ÿ])|[A-ZÀ-Þ]?[a-zß-ÿ]+|\d+")
_SHORT = {"qty": "quantity", "qte": "quantite", "amnt": "amount", "amt": "amount", "nbr": "number", "num": "number"}
_SHORT |= {"no": "number", "nr": "number", "desc": "description", "loc": "location", "curr": "currency", "dt": "date"}


def unused(header: Sequence[str], used: Collection[int], target: Target) -> dict[str, Any]:
    """Return, as a fact, each named header without a column, and the column that its sender may have meant."""
    free = [
        name for i, name in enumerate(header) if i not in used and name.strip() and normalise_header(name) not in _OWN
    ]
    taken = {target.headers.get(normalise_header(header[i])) for i in used}
    found = [{"header": n[:60], **_proposed(n, target, taken)} for n in free[:LISTED]]
    return {"unused_columns": found} if found else {}


def _proposed(name: str, target: Target, taken: Collection[str | None]) -> dict[str, Any]:
    column, confidence = proposal(name, target, taken)
    return {"nearest": column} | ({"confidence": round(confidence, 2)} if column else {})


def absent(present: Collection[str], target: Target) -> dict[str, Any]:
    """Return, as a fact, the optional measures that no column of the file states."""
    optional = [c for c in target.contract.stated if c.logical_type in _MEASURES and not c.required]
    missing = [c.name for c in optional if c.name not in present]
    return {"absent_measures": missing} if missing else {}


def nearest(name: str, target: Target, taken: Collection[str | None] = ()) -> str | None:
    """Return the column whose name or alias is most like this header; one that is ``taken`` only when it is alone."""
    return proposal(name, target, taken)[0]


def proposal(name: str, target: Target, taken: Collection[str | None] = ()) -> tuple[str | None, float]:
    """Return that column and how alike the two are, from 0.75 to 1; None and 0 when none is alike."""
    words = set(_words(name))
    plain = "".join(sorted(words))
    ranked = sorted(_scored(words, plain, target), reverse=True)
    best = [(column, score) for score, column in ranked if score >= ALIKE]
    return next((found for found in best if found[0] not in taken), best[0] if best else (None, 0.0))


def _scored(words: set[str], plain: str, target: Target) -> Iterator[tuple[float, str]]:
    """Yield how alike each known name is, whatever the order of its words: 1 is the same."""
    for column in target.contract.stated:
        for alias in (column.name, *column.aliases):
            parts = set(_words(alias))
            other = "".join(sorted(parts))
            matcher = SequenceMatcher(None, plain, other)
            if matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE:
                yield matcher.ratio(), column.name
            elif len(words & parts) >= 2:
                yield 2 * len(words & parts) / (len(words) + len(parts)), column.name


def _words(name: str) -> list[str]:
    """Return a header's words: ``ReceivedQty`` -> received, quantity."""
    words = [normalise_header(w) for part in re.split(r"[\W_]+", name) for w in _PARTS.findall(part) or [part]]
    return [_SHORT.get(w, w) for w in words if w]
