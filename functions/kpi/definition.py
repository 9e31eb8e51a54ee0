"""A KPI definition: one SQL file, its header in the first comment. Pure."""

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import yaml

from stockflow.errors import PermanentError
from stockflow.identity import digest

REQUIRED = ("title", "description", "owner", "lookback_days", "grain")
REQUIRED_OF_KPI = ("meaning", "formula", "source", "unit", "direction", "rollup")
_CHOICES = {"kind": ("kpi", "base"), "direction": ("up", "down", "none"), "rollup": ("ratio", "sum")}


@dataclass(frozen=True)
class Definition:
    """One KPI or base model. ``sql`` is a plain SELECT over all dates; ``lookback_days`` is its trailing window."""

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
    thresholds: dict[str, float] = field(default_factory=dict)
    examples: tuple[dict[str, Any], ...] = ()

    @property
    def table(self) -> str:
        """The table that holds its rows."""
        return f"inventory_kpi.{self.name}"

    @property
    def version(self) -> str:
        """Hash of what decides its rows."""
        return digest(self.sql, self.lookback_days, self.grain, length=12)


def parse(file_name: str, text: str) -> Definition:
    """Return the definition in one file.

    Raises:
        PermanentError: ``bad_definition``, naming the file, the field and what was expected.
    """
    name = PurePosixPath(file_name).stem
    header, sql = _split(file_name, text)
    kind = header.get("kind", "kpi")
    _check(file_name, header, kind)
    plain = {
        k: " ".join(str(header.get(k, "")).split()) for k in ("title", "description", "owner", "meaning", "formula")
    }
    return Definition(
        name=name,
        sql=sql,
        header=header,
        kind=kind,
        lookback_days=int(header["lookback_days"]),
        grain=tuple(header["grain"]),
        source=str(header.get("source", "")),
        unit=str(header.get("unit", "")),
        direction=header.get("direction", "none"),
        rollup=header.get("rollup", "ratio"),
        thresholds=dict(header.get("thresholds") or {}),
        examples=tuple(header.get("examples") or ()),
        **plain,
    )


def _split(file_name: str, text: str) -> tuple[dict[str, Any], str]:
    start, end = text.find("/*"), text.find("*/")
    if text[:start].strip() or start < 0 or end < start:
        raise _bad(file_name, "must begin with a /* ... */ comment that holds the YAML header")
    try:
        header = yaml.safe_load(text[start + 2 : end])
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        raise _bad(file_name, f"line {line}: the header is no YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(header, dict):
        raise _bad(file_name, "the header must be YAML fields, such as `title: ...`")
    sql = text[end + 2 :].strip().rstrip(";")
    if not sql:
        raise _bad(file_name, "has a header and no SELECT under it")
    return header, sql


def _check(file_name: str, header: dict[str, Any], kind: str) -> None:
    wanted = REQUIRED + (REQUIRED_OF_KPI if kind == "kpi" else ())
    missing = [f for f in wanted if header.get(f) is None]
    if missing:
        raise _bad(file_name, f"the header lacks {', '.join(missing)}")
    for name, allowed in _CHOICES.items():
        if name in header and header[name] not in allowed:
            raise _bad(file_name, f"{name} is {header[name]!r}, expected one of {', '.join(allowed)}")
    if not isinstance(header["lookback_days"], int) or header["lookback_days"] < 0:
        raise _bad(file_name, f"lookback_days is {header['lookback_days']!r}, expected a whole number of days")
    if not isinstance(header["grain"], list):
        raise _bad(file_name, f"grain is {header['grain']!r}, expected a list of columns such as [sku, location_code]")


def _bad(file_name: str, what: str) -> PermanentError:
    return PermanentError("bad_definition", f"{file_name}: {what}", file=file_name)
