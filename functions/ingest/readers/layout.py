"""From a header to a layout: which cell goes into which column, and which is kept aside."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from functions.ingest.readers.model import Target, listed
from functions.ingest.readers.nearest import absent, unused
from stockflow.contracts import Column, normalise_header
from stockflow.errors import PermanentError
from stockflow.filename import date_in

SHOWN = 5
MASK = "(not shown)"
_BY_NAME = "; or one date in the file's name, such as 2026-10-31, if all rows are of that day"


@dataclass(frozen=True)
class Layout:
    """Where the cells of a record go. ``columns``: position -> column; ``extras``: position -> key."""

    header: tuple[str, ...]
    columns: dict[int, str]
    extras: dict[int, str]
    constants: dict[str, str] = field(default_factory=dict)
    notes: dict[str, object] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """How many cells a record has."""
        return len(self.header)


def recognised(cells: Sequence[str], target: Target) -> int:
    """Return how many different columns of the contract these cells are headers of."""
    return len({target.headers[n] for c in cells if (n := normalise_header(c)) in target.headers})


def layout(header: Sequence[str], target: Target) -> Layout:
    """Return the layout of a file with that header.

    Raises:
        PermanentError: the contract's code when needed columns are missing, ``ambiguous_header`` when
            two headers mean the same column.
    """
    columns, spare = _assign(header, target)
    dated, given = constants_from_name(columns.values(), target), constants_of_sender(columns.values(), target)
    constants = {**given, **dated}
    _check_needed(header, {*columns.values(), *constants}, target)
    extras = _keys([(i, h) for i, h in enumerate(header) if i not in columns])
    notes: dict[str, object] = {"set_aside": spare} if spare else {}
    if dated:
        notes["from_file_name"] = dated
    if left := {c: v for c, v in given.items() if c not in dated}:
        notes["from_sender"] = left
    notes |= unused(header, {*columns, *(i for i, h in enumerate(header) if h in spare)}, target)
    notes |= absent({*columns.values(), *constants}, target)
    return Layout(tuple(header), columns, extras, constants, notes)


def column_of(names: Sequence[str], target: Target) -> dict[str, str]:
    """Return name -> column for the keys of a JSON record (see ``layout`` for errors)."""
    columns, _ = _assign(names, target)
    return {names[i]: c for i, c in columns.items()}


def _assign(header: Sequence[str], target: Target) -> tuple[dict[int, str], list[str]]:
    """Return position -> column, and the headers that a better one left aside."""
    claims: dict[str, list[int]] = defaultdict(list)
    for position, name in enumerate(header):
        if column := target.headers.get(normalise_header(name)):
            claims[column].append(position)
    chosen = {_best(header, claims[c], target.contract.column(c)): c for c in claims}
    spare = [header[i] for places in claims.values() for i in places if i not in chosen]
    return chosen, spare


def _best(header: Sequence[str], places: list[int], column: Column) -> int:
    """Return which of several headers of one column is meant.

    The column's own name wins; a fallback alias loses; of the same header written twice the first one
    wins. Anything else is for the sender to decide.
    """
    own, weak = normalise_header(column.name), {normalise_header(f) for f in column.fallbacks}
    named = {i: normalise_header(header[i]) for i in places}
    best = [i for i in places if named[i] == own] or [i for i in places if named[i] not in weak] or places
    if len({named[i] for i in best}) > 1:
        raise PermanentError(
            "ambiguous_header",
            f"headers {listed(header[i] for i in best)} all mean column {column.name!r}; "
            f"name one of them {column.name!r}, or remove or rename the others",
            column=column.name,
            headers=[header[i] for i in best],
        )
    return best[0]


def _keys(spare: list[tuple[int, str]]) -> dict[int, str]:
    """Return position -> key in ``_extra``: the header, numbered when it is blank or there twice."""
    keys: dict[int, str] = {}
    for position, name in spare:
        key = name.strip() or f"column_{position + 1}"
        keys[position] = key if key not in keys.values() else f"{key} ({position + 1})"
    return keys


def constants_from_name(present: Iterable[str], target: Target) -> dict[str, str]:
    """Return the business date of a file whose header has none but whose name has exactly one."""
    column = target.contract.business_date
    if column is None or column in set(present):
        return {}
    found = date_in(target.name)
    return {column: found} if found else {}


def constants_of_sender(present: Iterable[str], target: Target) -> dict[str, str]:
    """Return what the sender's profile says of columns that the header does not have."""
    contract, there = target.contract, set(present)
    stated = {c.name for c in contract.stated} - there
    return {c: v for c, v in (contract.properties.get("defaults") or {}).items() if c in stated}


def _check_needed(header: Sequence[str], present: set[str], target: Target) -> None:
    missing = [c for c in target.needed if c not in present]
    if missing:
        raise missing_columns(missing, header, target)


def missing_columns(missing: Sequence[str], header: Sequence[str], target: Target) -> PermanentError:
    """Return the error that says which columns are missing, what was found, and what is accepted."""
    shown = [without_personal_data(h, target)[:60] for h in header[:60]]
    accepted = "; ".join(f"{c}: {_some(target.contract.column(c))}" for c in missing)
    in_the_name = target.contract.business_date in missing
    return PermanentError(
        target.needed_code,
        f"{target.name}: no header for {listed(missing)}. Header found: {listed(shown)}. Accepted: {accepted} "
        f"(all of them: contracts/{target.contract.feed}.yaml)" + (_BY_NAME if in_the_name else ""),
        missing=list(missing),
        header=shown,
    )


def without_personal_data(text: str, target: Target) -> str:
    """Return a supposed header as it may stand in a message.

    Of a feed with personal columns only known names are shown: in a file without a header it is somebody's data.
    """
    personal = any(c.pii for c in target.contract.columns)
    return MASK if personal and text.strip() and normalise_header(text) not in target.headers else text


def _some(column: Column) -> str:
    """The name and the first aliases: all of ten columns would hide what is missing."""
    return ", ".join((column.name, *column.aliases[:SHOWN])) + (", ..." if len(column.aliases) > SHOWN else "")
