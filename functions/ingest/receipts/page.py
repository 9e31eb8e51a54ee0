"""The receipt as a page: one file that needs no other, everything in it escaped. Pure but for its template."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, Template

from functions.ingest.receipts.says import NOTHING

_TEMPLATE = Path(__file__).resolve().parent / "page.html.j2"
_STATES = {"refreshed": "Loaded, and in the KPIs", "duplicate_content": "A copy of a file that is loaded already"}
_COUNTS = ("records", "loaded", "superseded", "quarantined", "rejected")


@cache
def _template() -> Template:
    return Environment(autoescape=True).from_string(_TEMPLATE.read_text(encoding="utf-8"))


def page(said: Mapping[str, Any], file: str = "") -> str:
    """Return the page of a receipt; ``file`` is the name of the file of refused rows, which lies beside it."""
    counts = [(name, said["counts"][name] or 0) for name in _COUNTS]
    state = _STATES.get(said["state"]) or str(said["state"]).replace("_", " ").capitalize()
    return _template().render(
        r=said, counts=counts, bad=said["state"] in NOTHING, file=file, link=quote(file), state=state,
        landed=_moment(said["landed_at"]),
    )  # fmt: skip


def _moment(at: Any) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if isinstance(at, datetime) else str(at)
