"""What was refused: by feed and day, and by rule."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from cli import wording
from cli.texts import said
from local.dashboard import page

_REASONS_SHOWN = 15
_LONGEST = 60  # letters of a value that is shown
_ENOUGH = 0.95  # a day with a smaller share of accepted rows is red
HEADS = ("Feed", "Reason", "Rows", "Newest example", "What fixes it")
# Where a refused row is kept -> the command that helps with it, and what to do then.
REPAIRS = {
    "quarantine": ("stockflow quarantine export --feed {feed}", "writes them to be corrected and dropped again"),
    "rejects": ("stockflow explain {file}", "shows the lines; correct the file and drop it again"),
}


def by_day(rows: Sequence[Mapping[str, Any]]) -> None:
    """Draw what share of each feed's rows was accepted on each of the last days with files."""
    page.card(said("Accepted rows by day"), said("of what each feed delivered, on the last days with files"))
    if not rows:
        st.markdown(said("No file ended yet."))
        return
    days = sorted({row["day"] for row in rows})
    cells = {(row["feed"], row["day"]): row for row in rows}
    head = "".join(f'<th class="num">{day.day} {escape(said(f"{day:%b}"))}</th>' for day in days)
    body = "".join(
        f'<tr><th scope="row">{escape(feed)}</th>{"".join(_day(cells.get((feed, day))) for day in days)}</tr>'
        for feed in sorted({row["feed"] for row in rows})
    )
    st.html(f'<div class="sf-scroll"><table class="sf-table sf-days"><tr><td></td>{head}</tr>{body}</table></div>')


def _day(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "<td></td>"
    share = row["rows_accepted"] / row["rows_delivered"] if row["rows_delivered"] else 0.0
    tone = "ok" if share == 1 else "warn" if share >= _ENOUGH else "bad"
    told = said(
        "{accepted} of {delivered} accepted: {unreadable} could not be read, {quarantined} in quarantine, "
        "{files} rejected",
        accepted=wording.whole(row["rows_accepted"]), delivered=wording.count(row["rows_delivered"], "row"),
        unreadable=wording.whole(row["rows_unreadable"]), quarantined=wording.whole(row["rows_quarantined"]),
        files=wording.count(row["files_rejected"], "file"),
    )  # fmt: skip
    percent = wording.whole_percent(share)
    return f'<td class="num"><span class="sf-state {tone}" title="{escape(told)}">{percent}</span></td>'


def by_rule(rows: Sequence[Mapping[str, Any]]) -> None:
    """Draw the rules that refused most rows, each with its newest example and the command that helps."""
    page.card(said("Why rows were refused"), said("every refused row is kept with its original text"))
    if not rows:
        st.markdown(said("No row was refused."))
        return
    most = max(int(row["refused"]) for row in rows)
    body = "".join(_reason(row, most) for row in rows[:_REASONS_SHOWN])
    head = page.heads(*HEADS)
    st.html(f'<div class="sf-scroll"><table class="sf-table"><tr>{head}</tr>{body}</table></div>')


def _reason(row: Mapping[str, Any], most: int) -> str:
    refused = int(row["refused"])
    meter = f'<span class="sf-meter" style="width:{70 * refused / most:.0f}px"></span>'
    column = f" <code>{escape(row['column_name'])}</code>" if row["column_name"] else ""
    command, then = REPAIRS[row["kind"]]
    name = (row["object"] or "").rpartition("/")[2]
    fix = f"<code>{escape(command.format(feed=row['feed'], file=name))}</code> {escape(said(then))}"
    return (
        f"<tr><td>{escape(row['feed'] or '')}</td><td>{escape(row['reason'].replace('_', ' '))}{column}</td>"
        f"<td>{meter}{wording.whole(refused)}</td><td>{_example(row, name)}</td><td>{fix}</td></tr>"
    )


def _example(row: Mapping[str, Any], name: str) -> str:
    """Return the newest refused row of a rule: where it stands, what was found, what was expected."""
    place = said("{file}, line {line}", file=name, line=row["line"])
    found = f" <code>{escape(str(row['value'])[:_LONGEST])}</code>" if row["value"] else ""
    expected = f", {escape(said('expected {what}', what=row['expected']))}" if row["expected"] else ""
    return f"{escape(place)}:{found or ' ' + escape(said('empty'))}{expected}"
