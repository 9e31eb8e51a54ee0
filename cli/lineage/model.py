"""The whole path as SQL and contracts state it: headers of files, raw, curated, views, KPIs, reporting. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter

from cli.kpi.sources import Tracer, texts
from cli.kpi.workspace import Workspace
from functions.kpi.columns import Columns, all_columns, output_columns
from functions.kpi.definition import Definition
from functions.kpi.graph import tables_of
from functions.kpi.refresh import HORIZONS, views_by_name
from functions.transform.files import UnknownModelError, model
from stockflow.contracts import Contract
from stockflow.schema import raw_schema

CONVENTIONS = {"_decimal": "STRING", "_date_order": "STRING", "_time_zone": "STRING", "_generation": "INT64",
               "_landed_at": "TIMESTAMP"}  # fmt: skip
_LEDGER = "inventory_ops."
_ACCEPTED = "_accepted"  # the rows of raw that count: the same columns, and the conventions of their file


@dataclass
class Model:
    """The tables of an environment, what each is computed from, and their columns."""

    workspace: Workspace
    known: dict[str, Columns] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def contracts(self) -> Mapping[str, Contract]:
        """The contracts by feed."""
        return self.workspace.contracts

    @cached_property
    def reads(self) -> dict[str, set[str]]:
        """Table -> the tables that its SELECT names; not the ledger's, nor the days that are known."""
        named = {table: tables_of(table, sql) for table, sql in self.texts.items()}
        return {
            table: {t.removesuffix(_ACCEPTED) for t in read if not t.startswith(_LEDGER)} - {table, HORIZONS}
            for table, read in named.items()
        }

    @cached_property
    def tracer(self) -> Tracer:
        """What follows columns."""
        return Tracer(self.texts, self.known)

    @cached_property
    def columns(self) -> dict[str, set[str]]:
        """Column -> the columns that it is computed from, of every table."""
        return {
            f"{table}.{name}": set(map(_of_raw, filter(_is_stated, self.tracer.inputs(f"{table}.{name}"))))
            for table in self.texts
            for name in self.known[table]
        }

    def up(self, table: str) -> set[tuple[str, str]]:
        """Return every step from what a table is computed from, as (from, to)."""
        return {(there, here) for here, there in reach([table], self.reads)}

    def down(self, table: str) -> set[tuple[str, str]]:
        """Return every step to what is computed from a table."""
        return reach([table], turned(self.reads))

    @property
    def definitions(self) -> dict[str, Definition]:
        """The KPIs and base models."""
        return self.workspace.definitions

    def kpis(self, names: Iterable[str]) -> list[str]:
        """Return which of these tables are KPIs or base models, by their plain names."""
        owners = {d.table: name for name, d in self.definitions.items()}
        return sorted(owners[t] for t in names if t in owners)

    def feeds(self, names: Iterable[str]) -> list[str]:
        """Return the feeds whose files these tables hold."""
        return sorted({f for t in names if (f := self.feed_of(t))})

    def feed_of(self, table: str) -> str | None:
        """Return the feed that a raw or curated table belongs to."""
        dataset, _, name = table.partition(".")
        plain = name.removesuffix("_history")
        feed = dataset in ("inventory_raw", "inventory_curated") and plain in self.workspace.contracts
        return plain if feed else None

    def window(self, name: str) -> int:
        """Return how many days before its own day the facts of a KPI may lie: its look-back and those it reads."""
        definition = self.definitions[name]
        behind = self.kpis(self.workspace.reads[name])
        return definition.lookback_days + max((self.window(other) for other in behind if other != name), default=0)


def build(workspace: Workspace) -> Model:
    """Return the model of what ``workspace`` can read.

    Raises:
        PermanentError: ``bad_definition`` naming what a definition reads and nobody has.
    """
    known = all_columns(workspace.definitions, workspace.views, workspace.sources)
    found = Model(workspace, known, texts(workspace))
    for feed, contract in workspace.contracts.items():
        _feed(found, feed, contract)
    _reporting(found)
    return found


def _feed(found: Model, feed: str, contract: Contract) -> None:
    raw = {c["name"]: c["type"] for c in raw_schema(contract)}
    found.known |= {f"inventory_raw.{feed}": raw, f"inventory_raw.{feed}{_ACCEPTED}": raw | CONVENTIONS}
    try:
        text = model(feed)
    except UnknownModelError:
        return
    for ending in ("_history", ""):
        found.texts[f"inventory_curated.{feed}{ending}"] = text


def _reporting(found: Model) -> None:
    views = views_by_name("inventory_reporting")
    order = {name: tables_of(name, sql) & views.keys() for name, sql in views.items()}
    for name in TopologicalSorter(order).static_order():
        if tables_of(name, views[name]) <= found.known.keys():  # an environment may lack one of its KPIs
            found.known[name] = output_columns(name, views[name], found.known)
            found.texts[name] = views[name]


def headers(model_of: Model, column: str) -> tuple[str, ...]:
    """Return the headers of files that mean a raw column; none of what the platform adds itself."""
    table, _, name = column.rpartition(".")
    contract = model_of.workspace.contracts.get(table.removeprefix("inventory_raw."))
    stated = {c.name: (c.name, *c.aliases) for c in contract.stated} if contract else {}
    return stated.get(name, ())


def _is_stated(column: str) -> bool:
    """Whether a column is stated by files or computed, not a convention that the ledger keeps of a file."""
    return column.rpartition(".")[2] not in CONVENTIONS and not column.startswith(_LEDGER)


def _of_raw(column: str) -> str:
    table, _, name = column.rpartition(".")
    return f"{table.removesuffix(_ACCEPTED)}.{name}"


def reach(start: Iterable[str], steps: Mapping[str, Iterable[str]]) -> set[tuple[str, str]]:
    """Return every step (from, to) that can be walked from ``start`` on."""
    found: set[tuple[str, str]] = set()
    left, seen = list(start), set(start)
    while left:
        here = left.pop()
        for there in steps.get(here, ()):
            found.add((here, there))
            if there not in seen:
                seen.add(there)
                left.append(there)
    return found


def turned(steps: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """Return the steps the other way round."""
    found: dict[str, set[str]] = {}
    for here, others in steps.items():
        for there in others:
            found.setdefault(there, set()).add(here)
    return found
