"""A KPI definition: one SQL file, its header in the first comment. Pure."""

import difflib
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from stockflow.documents import read_yaml, yaml_error
from stockflow.errors import PermanentError
from stockflow.identity import digest

REQUIRED = ("title", "description", "owner", "lookback_days", "grain")
REQUIRED_OF_KPI = ("meaning", "formula", "source", "unit", "direction", "rollup")
OPTIONAL = ("kind", "thresholds", "examples", "formula", "horizon", "quantity", "french", "input_lookback_days")
KNOWN = (*REQUIRED, *REQUIRED_OF_KPI, *OPTIONAL)
_CHOICES = {
    "kind": ("kpi", "base"),
    "direction": ("up", "down", "none"),
    "rollup": ("ratio", "sum"),
    "horizon": ("all", "stock", "sales", "counts", "orders", "customer_orders"),
}
_LIMITS = ("low", "high")
TRANSLATED = ("title", "description", "meaning")
_TABLE = re.compile(r"\b(?:FROM|JOIN)\s+(inventory_\w+\.\w+)")
_THRESHOLD = re.compile(r"/\*\s*thresholds\.(\w+)\s*\*/")


@dataclass(frozen=True)
class Definition:
    """One KPI or base model. ``sql`` is a plain SELECT over all dates; ``lookback_days`` is its trailing window.

    ``input_lookback_days``: table -> how far back a row looks at that input, where that is less.
    ``horizon`` names the facts whose newest day is its last one (a row of view ``known_days``). ``first_line`` is the
    line of the file on which ``sql`` begins, so that errors can name the file's own lines.
    """

    name: str
    sql: str
    header: dict[str, Any]
    kind: str
    title: str
    description: str
    owner: str
    lookback_days: int
    grain: tuple[str, ...]
    meaning: str = ""
    formula: str = ""
    source: str = ""
    unit: str = ""
    direction: str = "none"
    rollup: str = "ratio"
    horizon: str = "all"
    thresholds: dict[str, float] = field(default_factory=dict)
    examples: tuple[dict[str, Any], ...] = ()
    first_line: int = 1
    french: dict[str, str] = field(default_factory=dict)
    input_lookback_days: dict[str, int] = field(default_factory=dict)

    def lookback(self, table: str) -> int:
        """Return how many days before a day its row looks at an input (``dataset.table``)."""
        return self.input_lookback_days.get(table, self.lookback_days)

    def told_in(self, language: str) -> "Definition":
        """Return it with the texts of a language (``en``, ``fr``): English ones where it has no others."""
        texts: dict[str, Any] = dict(self.french) if language == "fr" else {}
        return replace(self, **texts)

    @property
    def table(self) -> str:
        """The table that holds its rows."""
        return f"inventory_kpi.{self.name}"

    @property
    def version(self) -> str:
        """Hash of what decides its rows."""
        of_inputs = [self.input_lookback_days] if self.input_lookback_days else []
        return digest(self.sql, self.lookback_days, self.grain, self.horizon, *of_inputs, length=12)


_RESERVED = {"status"}  # reporting views ``kpi_*`` that are no KPI's


@lru_cache(maxsize=500)
def parse(file_name: str, text: str) -> Definition:
    """Return the definition in one file; it is read once a process, and nobody changes it.

    Raises:
        PermanentError: ``bad_definition``, naming the file, the line, what was found and what was expected.
    """
    source = _Source(file_name, text)
    name = PurePosixPath(file_name).stem
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise source.bad(1, f"the file's name becomes a table's: expected small letters, digits and _, found {name!r}")
    if name in _RESERVED:
        raise source.bad(1, f"{name!r} is reserved: kpi_{name} is a view of the project, expected another name")
    header, sql, first_line = _split(source)
    kind = header.get("kind", "kpi")
    _check(source, header, kind)
    _check_thresholds(source, header, sql)
    texts = ("title", "description", "owner", "meaning", "formula", "source", "unit")
    plain = {k: _with_thresholds(" ".join(str(header.get(k, "")).split()), header) for k in texts}
    return Definition(
        name=name,
        sql=sql,
        header=header,
        kind=kind,
        lookback_days=int(header["lookback_days"]),
        grain=tuple(header["grain"]),
        direction=header.get("direction", "none"),
        rollup=header.get("rollup", "ratio"),
        horizon=header.get("horizon", "all"),
        thresholds=dict(header.get("thresholds") or {}),
        examples=tuple(header.get("examples") or ()),
        first_line=first_line,
        input_lookback_days=dict(header.get("input_lookback_days") or {}),
        french={k: _with_thresholds(" ".join(v.split()), header) for k, v in (header.get("french") or {}).items()},
        **plain,
    )


@dataclass(frozen=True)
class _Source:
    """One file, for errors that name it."""

    name: str
    text: str

    def bad(self, line: int, what: str) -> PermanentError:
        return PermanentError("bad_definition", f"{self.name}:{line}: {what}", file=self.name, line=line)

    def line_of(self, key: str) -> int:
        """Return the line on which a header field stands (the first line when it is absent)."""
        found = re.search(rf"^{re.escape(str(key))}\s*:", self.text, re.MULTILINE)
        return self.line_at(found.start()) if found else 1

    def line_at(self, position: int) -> int:
        return self.text.count("\n", 0, position) + 1


def _split(source: _Source) -> tuple[dict[str, Any], str, int]:
    text = source.text
    start, end = text.find("/*"), text.find("*/")
    if start < 0 or text[:start].strip() or end < start:
        raise source.bad(1, "expected a /* ... */ comment with the YAML header before anything else")
    try:
        header = read_yaml(text[start + 2 : end])
    except yaml_error() as error:
        mark = getattr(error, "problem_mark", None)
        line = source.line_at(start) + (mark.line if mark is not None else 0)
        raise source.bad(line, f"the header is not valid YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(header, dict):
        raise source.bad(1, "expected YAML fields in the header, such as `title: Stock on hand`")
    sql = text[end + 2 :].strip().rstrip(";")
    if not sql:
        raise source.bad(source.line_at(end), "expected a SELECT below the header, found nothing")
    body = text[end + 2 :]
    return header, sql, source.line_at(end + 2 + len(body) - len(body.lstrip()))


def _check(source: _Source, header: dict[str, Any], kind: str) -> None:
    for key in header:
        if key not in KNOWN:
            close = difflib.get_close_matches(str(key), KNOWN, 1)
            hint = f", did you mean {close[0]}?" if close else f", expected one of {', '.join(KNOWN)}"
            raise source.bad(source.line_of(key), f"unknown header field {key!r}{hint}")
    wanted = REQUIRED + (REQUIRED_OF_KPI if kind == "kpi" else ())
    if missing := [f for f in wanted if header.get(f) is None]:
        raise source.bad(1, f"the header lacks {', '.join(missing)}")
    for name, allowed in _CHOICES.items():
        if name in header and header[name] not in allowed:
            raise source.bad(source.line_of(name), f"{name} is {header[name]!r}, expected {', '.join(allowed)}")
    _check_shapes(source, header)


def _check_thresholds(source: _Source, header: dict[str, Any], sql: str) -> None:
    """A threshold is a limit (low, high), or a value that the SQL takes as ``/* thresholds.name */``."""
    found = header.get("thresholds") or {}
    used = set(_THRESHOLD.findall(sql))
    for name in found:
        if name not in _LIMITS and name not in used:
            known = f"low, high or a value that the SQL uses as /* thresholds.{name} */"
            raise source.bad(source.line_of("thresholds"), f"unknown threshold {name!r}, expected {known}")
    for name in sorted(used - set(found)):
        raise source.bad(
            source.line_of("thresholds"), f"the SQL uses thresholds.{name}, which the header does not have"
        )


def _with_thresholds(text: str, header: dict[str, Any]) -> str:
    """Return a header's text with ``{days}`` as the threshold of that name; ``{value}`` stays for the figure."""
    for name, value in (header.get("thresholds") or {}).items():
        text = text.replace("{" + str(name) + "}", str(value))
    return text


def _check_shapes(source: _Source, header: dict[str, Any]) -> None:
    days, grain = header["lookback_days"], header["grain"]
    if not isinstance(days, int) or isinstance(days, bool) or days < 0:
        raise source.bad(source.line_of("lookback_days"), f"lookback_days is {days!r}, expected a number of days")
    if not isinstance(grain, list) or not all(isinstance(g, str) for g in grain):
        raise source.bad(source.line_of("grain"), f"grain is {grain!r}, expected columns such as [sku, location_code]")
    _check_input_lookback(source, header)
    _check_french(source, header)
    for number, example in enumerate(header.get("examples") or [], 1):
        if not isinstance(example, dict) or set(example) != {"given", "expect"}:
            raise source.bad(source.line_of("examples"), f"example {number}: expected `given` tables and `expect` rows")


def _check_input_lookback(source: _Source, header: dict[str, Any]) -> None:
    """Each is a table that the SQL names and a number of days up to ``lookback_days``."""
    most, found = header["lookback_days"], header.get("input_lookback_days") or {}
    line = source.line_of("input_lookback_days")
    if not isinstance(found, dict):
        raise source.bad(line, f"input_lookback_days is {found!r}, expected `table: days`")
    body = source.text[source.text.index("*/") :]
    for table, days in found.items():
        if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= most:
            raise source.bad(line, f"input_lookback_days of {table} is {days!r}, expected 0 to {most} (lookback_days)")
        if not re.search(rf"\b{re.escape(str(table))}\b", body):
            read = sorted(set(_TABLE.findall(body)))
            raise source.bad(
                line, f"input_lookback_days: the SQL does not name {table!r}, expected one of {', '.join(read)}"
            )


def _check_french(source: _Source, header: dict[str, Any]) -> None:
    texts = header.get("french") or {}
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise source.bad(source.line_of("french"), "french: expected texts, such as `title: Valeur du stock`")
    if unknown := sorted(set(texts) - set(TRANSLATED)):
        raise source.bad(
            source.line_of("french"), f"french: unknown text {unknown[0]!r}, expected one of {', '.join(TRANSLATED)}"
        )
