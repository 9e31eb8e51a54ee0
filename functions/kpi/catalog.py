"""The catalogue: the definitions of an environment, and what each says in one number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from functions.kpi.definition import Definition, parse
from functions.kpi.given import with_values
from functions.kpi.graph import check, columns
from stockflow.contracts import load_contracts
from stockflow.errors import PermanentError, TransientError
from stockflow.services import Services
from stockflow.settings import bundle_root


@dataclass(frozen=True)
class Catalog:
    """The definitions that can be read, and name -> what is wrong with each that cannot."""

    definitions: dict[str, Definition]
    faults: dict[str, PermanentError]


def read_catalog(uri: str, services: Services | None = None) -> Catalog:
    """Return what a folder, or ``gs://bucket/prefix`` (with ``services``), defines; a bad file hides no other."""
    found = Catalog({}, {})
    contracts = services.contracts if services else load_contracts(bundle_root() / "contracts")
    for file_name, text in sorted(_texts(uri, services).items()):
        try:
            definition = with_values(parse(file_name, text), contracts)
            check(definition)
        except PermanentError as error:
            found.faults[file_name.removesuffix(".sql")] = error
        else:
            found.definitions[definition.name] = definition
    return found


def load_definitions(uri: str, services: Services | None = None) -> dict[str, Definition]:
    """Return name -> definition, when all of them can be read (see ``read_catalog``).

    Raises:
        PermanentError: ``bad_definition``, naming the file and the line of the first fault.
    """
    catalog = read_catalog(uri, services)
    for fault in catalog.faults.values():
        raise fault
    return catalog.definitions


def _texts(uri: str, services: Services | None) -> dict[str, str]:
    if not uri.startswith("gs://"):
        return {p.name: p.read_text(encoding="utf-8") for p in Path(uri).glob("*.sql")}
    assert services is not None, "definitions in a bucket need services to read them"
    bucket, _, prefix = uri.removeprefix("gs://").partition("/")
    store = services.store
    objects = [o.name for o in store.list(bucket, prefix) if o.name.endswith(".sql")]
    return {name.rsplit("/", 1)[-1]: store.read(bucket, name).decode() for name in objects}


@dataclass(frozen=True)
class Headline:
    """A KPI over everything on its newest day; ``previous`` is a week before."""

    value: float | None
    previous: float | None
    day: date | None
    reason: str | None
    sentence: str

    @property
    def trend(self) -> float | None:
        """Relative change since a week before, or None."""
        if self.value is None or not self.previous:
            return None
        return self.value / self.previous - 1


def headline(definition: Definition, rows: Sequence[Mapping[str, Any]]) -> Headline:
    """Return the headline from one row per day (``business_date, numerator, denominator, value``, summed)."""
    by_day = {row["business_date"]: row for row in rows}
    if not by_day:
        return Headline(None, None, None, "not computed yet", definition.meaning)
    day = max(by_day)
    older = [d for d in by_day if (day - d).days >= 7]
    value = rolled_up(definition, by_day[day])
    previous = rolled_up(definition, by_day[max(older)]) if older else None
    return Headline(value, previous, day, None if value is not None else "no_data", definition.meaning)


def rolled_up(definition: Definition, row: Mapping[str, Any]) -> float | None:
    """Return a sum, or the ratio of sums: never a mean of ratios."""
    if definition.rollup == "sum":
        return None if row["value"] is None else float(row["value"])
    numerator, denominator = row["numerator"], row["denominator"]
    return float(numerator) / float(denominator) if numerator is not None and denominator else None


_BY_DAY = """
SELECT business_date, SUM(numerator) AS numerator, SUM(denominator) AS denominator, {value} AS value
FROM {table} AS computed GROUP BY business_date ORDER BY business_date
"""


def headlines(services: Services) -> list[tuple[Definition, Headline]]:
    """Return each KPI with its headline, in the order of their titles."""
    found = []
    for definition in load_definitions(services.settings.definitions_uri, services).values():
        if definition.kind == "kpi":
            shown, value = _told(definition)
            found.append((shown, headline(shown, _rows(_BY_DAY.format(table=definition.table, value=value), services))))
    return sorted(found, key=lambda pair: pair[0].title)


def _told(definition: Definition) -> tuple[Definition, str]:
    """Return the definition as it is told in one number, and the SQL of that number.

    Classes have no total of their own: what is counted is how many are in the first one.
    """
    classes = [c for c in columns(definition) if c.endswith("_class")]
    if not classes:
        return definition, "SUM(value)"
    return replace(definition, unit="SKUs in class A", rollup="sum"), f"COUNTIF({classes[0]} = 'A')"


def _rows(sql: str, services: Services) -> list[dict[str, Any]]:
    try:
        return services.warehouse.query(sql)
    except TransientError as error:
        if error.facts.get("reason") not in {"notFound", "NotFound"}:
            raise
        return []  # its table is not there before the first load
