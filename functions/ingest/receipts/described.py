"""How a file was read, in lines for a person: from what ingest and transform noted in the ledger. Pure."""

import json
from collections.abc import Iterable, Mapping
from typing import Any


def unused(columns: Iterable[Mapping[str, Any]]) -> str:
    """Return headers that no alias knows, each with the nearest column."""
    return ", ".join(f"{u['header']!r}" + (f" ({_nearest(u)})" if u["nearest"] else "") for u in columns)


def _nearest(column: Mapping[str, Any]) -> str:
    sure = column.get("confidence")
    return f"nearest: {column['nearest']}" + (f", {sure:.0%}" if sure else "")


def described(detail: Mapping[str, Any]) -> list[str]:
    """Return what ingest noted of a file, in lines for a person."""
    facts = [str(detail["format"])] if "format" in detail else []
    facts += [f"{name} {detail[name]!r}" for name in ("encoding", "delimiter", "sheet") if detail.get(name)]
    facts += [f"header in line {detail['header_line']}"] if detail.get("header_line") else []
    lines = [f"read as: {', '.join(facts)}"] if facts else []
    if aside := detail.get("set_aside"):
        lines.append(f"set aside, since another column says the same: {', '.join(aside)} (kept in _extra)")
    taken = (detail.get("from_file_name") or {}).items()
    lines += [f"from the file's name: {column} {value}" for column, value in taken]
    return lines + _archive(detail) + _trailer(detail) + _control(detail) + _doubts(detail)


def _archive(detail: Mapping[str, Any]) -> list[str]:
    """Return what stood in a zip file besides the data, and what became of it."""
    control = [f"control file {name}: {note}" for name, note in (detail.get("control_files") or {}).items()]
    left_out = ", ".join(f"{one['name']} ({one['why']})" for one in detail.get("left_out") or [])
    return [*control, f"not read of the zip file: {left_out}"] if left_out else control


RECORDS = "records"
_COUNTED = {  # what readers say that a last line counts
    RECORDS: "the records of the file",
    "records and header": "the records and the header",
    "lines": "the records, the header and itself",
}
_STATED = {  # what a control file counts
    RECORDS: _COUNTED[RECORDS],
    "records and header": _COUNTED["records and header"],
    "records and totals": "the records and the lines of totals",
    "lines": "all lines of the file",
}
_LOST = "a file that has lost records would look the same"
_MESSAGES = {
    "quantities_not_read": "quantities without a column in this feed",
    "messages_not_read": "messages that are not read",
}


def _trailer(detail: Mapping[str, Any]) -> list[str]:
    """Return what the last line of a file counts, and what that leaves open."""
    if not (meant := detail.get("trailer_counts")):
        return []
    said = f"its last line counts {detail['trailer_count']:,}: {_COUNTED[meant]}"
    return [said if meant == RECORDS else f"warning: {said}; {_LOST}"]


def _control(detail: Mapping[str, Any]) -> list[str]:
    """Return what the number in a control file counts, and what that leaves open."""
    if not (meant := detail.get("control_counts")):
        return []
    said = f"its control file {detail['control_file']} counts {detail['control_count']:,}"
    if RECORDS in meant:
        return [f"{said}: {_STATED[RECORDS]}"]
    counted = ", or ".join(_STATED[m] for m in meant)
    return [f"warning: {said}: {counted}; {_LOST}"]


def _doubts(detail: Mapping[str, Any]) -> list[str]:
    """Return what a person should look at: a guessed encoding, columns that were not used, measures without any."""
    lines = []
    if signs := detail.get("encoding_doubt"):
        sure = f"{detail.get('encoding_confidence', 0):.0%} sure"
        lines.append(f"encoding {detail['encoding']} is a guess ({sure}); bytes and characters: {', '.join(signs)}")
    if columns := detail.get("unused_columns"):
        lines.append(f"columns not used: {unused(columns)} (kept in _extra)")
    if absent := detail.get("absent_measures"):
        lines.append(f"warning: no column states {', '.join(absent)}: what is computed from it is missing")
    for name, words in _MESSAGES.items():
        if found := detail.get(name):
            kinds = ", ".join(f"{kind} ({count})" for kind, count in found.items())
            lines.append(f"{words}: {kinds}")
    if detail.get("periods"):
        lines.append("warning: it states periods of several days; each is recorded on its last day")
    if short := detail.get("short_lines"):
        lines.append(f"lines without their last, optional cells: {short} (read as empty)")
    return lines


def doubts(ambiguous: Iterable[str]) -> list[str]:
    """Return what validate says of values that could be read two ways, with what settles it for the sender."""
    settles = "`decimalMark` or `dateOrder` in the sender's profile settles it"
    return [f"warning: {doubt}; {settles}" for doubt in ambiguous]


def detail_in(stages: Iterable[Mapping[str, Any]], stage: str) -> dict[str, Any]:
    """Return what the newest record of a stage says in detail; nothing where there is none."""
    return next((dict(json.loads(s["detail"] or "{}")) for s in stages if s["stage"] == stage), {})


def in_doubt(stages: list[dict[str, Any]]) -> list[str]:
    """Return the same, from the stages of a load."""
    return doubts(detail_in(stages, "validate").get("ambiguous") or ())


def restated(stages: list[dict[str, Any]]) -> list[str]:
    """Return what transform says of keys that were stated before with something else, in lines for a person."""
    if not (found := detail_in(stages, "transform").get("restated_with_other_content")):
        return []
    example = dict(found["example"])
    other = example.pop("before_load_id", None)
    said = ", ".join(f"{name} {value}" for name, value in example.items() if value)
    return [
        f"warning: {found['rows']} of its keys are stated with other content, too (load {other}): "
        f"two documents may have the same number. Example: {said}"
    ]


def unvalued(stages: list[dict[str, Any]]) -> list[str]:
    """Return what transform says of rows that are kept without their amounts, in lines for a person."""
    if not (found := detail_in(stages, "transform").get("unvalued")):
        return []
    rows = found["rows"]
    return [
        f"warning: {rows} {'row has' if rows == 1 else 'rows have'} no cost or price (first in line "
        f"{found['first_line']}): no exchange rate for {found['currencies']} on {'its' if rows == 1 else 'their'} day. "
        "The amounts are computed when the rate lands"
    ]
