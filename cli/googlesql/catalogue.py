"""What the analyzer knows of: tables with typed columns, routines, script variables."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cli.googlesql.engine import SqlFaultError, engine
from cli.googlesql.script import Statement, statements

Columns = Mapping[str, Any]  # name -> TypeProto
_DECLARE = re.compile(r"(?is)DECLARE\s+(?P<names>\w+(?:\s*,\s*\w+)*)\s*(?P<type>.*?)(?:\bDEFAULT\b(?P<value>.*))?$")
_SET = re.compile(r"(?is)SET\s+(?:\([^)]*\)|[\w@.]+)\s*=\s*(?P<value>.*)$")
_COPIED = re.compile(r"(?is)^CREATE\b[^(]*?\b(?:CLONE|COPY|LIKE)\s+(?P<source>[\w.`-]+)")
# https://cloud.google.com/bigquery/docs/information-schema-tables, -columns and -partitions
_INFORMATION_SCHEMA = {
    "TABLES": {"table_catalog": "STRING", "table_schema": "STRING", "table_name": "STRING", "table_type": "STRING",
               "creation_time": "TIMESTAMP", "ddl": "STRING"},
    "COLUMNS": {"table_catalog": "STRING", "table_schema": "STRING", "table_name": "STRING", "column_name": "STRING",
                "ordinal_position": "INT64", "is_nullable": "STRING", "data_type": "STRING",
                "is_partitioning_column": "STRING", "clustering_ordinal_position": "INT64"},
    "PARTITIONS": {"table_catalog": "STRING", "table_schema": "STRING", "table_name": "STRING",
                   "partition_id": "STRING", "total_rows": "INT64", "total_logical_bytes": "INT64",
                   "total_billable_bytes": "INT64", "last_modified_time": "TIMESTAMP", "storage_tier": "STRING"},
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """What is wrong with a piece of SQL; ``line`` counts from 1 in the text that was given."""

    message: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True)
class Catalogue:
    """Tables (``dataset.table``, or a plain name for a temporary one), routines and variables, by name."""

    tables: Mapping[str, Columns] = field(default_factory=dict)
    routines: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def number(self) -> int:
        """The analyzer's number of it."""
        return engine().register(_proto(self))

    def named_in(self, text: str) -> "Catalogue":
        """Return what a text can mean of this catalogue: a small one is registered in no time."""
        return Catalogue(
            {name: columns for name, columns in self.tables.items() if name in text},
            {name: signature for name, signature in self.routines.items() if name in text},
            self.variables,
        )

    def also(
        self, tables: Mapping[str, Columns] = {}, routines: Mapping[str, Any] = {}, variables: Mapping[str, Any] = {}
    ) -> "Catalogue":
        """Return this catalogue with more in it; itself, when it has all that already."""
        more = ((self.tables, tables), (self.routines, routines), (self.variables, variables))
        if all(known.get(name) == made for known, new in more for name, made in new.items()):
            return self
        return Catalogue(
            {**self.tables, **tables}, {**self.routines, **routines}, {**self.variables, **variables}
        )  # fmt: skip


def kind(name: str) -> Any:
    """Return the ``TypeProto`` of a type as BigQuery writes it: ``STRING``, ``ARRAY<DATE>``."""
    from zetasql.wasi._pb2.zetasql.public import type_pb2

    if name.startswith("ARRAY<"):
        found = type_pb2.TypeProto(type_kind=type_pb2.TYPE_ARRAY)
        found.array_type.element_type.CopyFrom(kind(name[6:-1]))
        return found
    number = type_pb2.TypeKind.Value("TYPE_" + {"FLOAT64": "DOUBLE"}.get(name, name))
    return type_pb2.TypeProto(type_kind=number)


def kind_name(proto: Any) -> str:
    """Return a type as BigQuery writes it."""
    from zetasql.wasi._pb2.zetasql.public import type_pb2

    if proto.type_kind == type_pb2.TYPE_ARRAY:
        return f"ARRAY<{kind_name(proto.array_type.element_type)}>"
    name = str(type_pb2.TypeKind.Name(proto.type_kind)).removeprefix("TYPE_")
    return {"DOUBLE": "FLOAT64"}.get(name, name)


def output(sql: str, catalogue: Catalogue, parameters: Columns | None = None) -> dict[str, Any]:
    """Return the columns that one SELECT gives, with their types.

    Raises:
        SqlFaultError: in GoogleSQL's own words.
    """
    query = engine().analyse(sql, catalogue.number, parameters or {}).resolved_query_stmt_node
    return {c.name: c.column.type for c in query.output_column_list}


def faults(script: str, catalogue: Catalogue, parameters: Columns | None = None) -> list[Fault]:
    """Return what the analyzer refuses in a script; each statement sees what the ones before it made."""
    pieces = statements(script)
    known = catalogue if len(pieces) == 1 else catalogue.named_in(script)
    return _analyse(pieces, known, parameters or {})[0]


def define(script: str, catalogue: Catalogue) -> tuple[list[Fault], Catalogue]:
    """Return what the analyzer refuses in a script, and the catalogue with what the script makes."""
    found, after = _analyse(statements(script), catalogue.named_in(script), {})
    return found, catalogue.also(after.tables, after.routines)


def _analyse(pieces: Sequence[Statement], catalogue: Catalogue, parameters: Columns) -> tuple[list[Fault], Catalogue]:
    found: list[Fault] = []
    first = catalogue
    for piece in pieces:
        try:
            after = _one(piece, catalogue, parameters)
        except SqlFaultError as error:
            found.append(Fault(error.message, piece.line + error.line - 1, error.column))
            continue
        if after is not catalogue and catalogue is not first:
            engine().forget(catalogue.number)
        catalogue = after
    return found, catalogue


def _one(piece: Statement, catalogue: Catalogue, parameters: Columns) -> Catalogue:
    if piece.kind == "expression":
        _value(piece.text, catalogue, parameters)
    elif piece.kind == "declare":
        return _declared(piece, catalogue, parameters)
    elif piece.kind == "set":
        match = _SET.match(piece.text)
        _value(match["value"] if match else piece.text, catalogue, parameters)
    else:
        resolved = engine().analyse(piece.text, catalogue.number, parameters)
        return _made(resolved, piece.text, catalogue)
    return catalogue


def _value(expression: str, catalogue: Catalogue, parameters: Columns) -> Any:
    """Return the type of an expression (the analyzer's lines stay those of the expression)."""
    return next(iter(output(f"SELECT ({expression}\n)", catalogue, parameters).values()))


def _declared(piece: Statement, catalogue: Catalogue, parameters: Columns) -> Catalogue:
    match = _DECLARE.match(piece.text)
    if match is None:
        raise SqlFaultError("expected DECLARE name TYPE [DEFAULT value]")
    if match["value"]:
        found = _value(match["value"], catalogue, parameters)
    if match["type"].strip():
        found = _value(f"CAST(NULL AS {match['type']})", catalogue, parameters)
    return catalogue.also(variables=dict.fromkeys(re.findall(r"\w+", match["names"]), found))


def _made(resolved: Any, text: str, catalogue: Catalogue) -> Catalogue:
    """Return the catalogue with the table, view or routine that a statement makes."""
    create = resolved.resolved_create_statement_node
    which = create.WhichOneof("node") if resolved.HasField("resolved_create_statement_node") else None
    if which == "resolved_create_function_stmt_node":
        made = create.resolved_create_function_stmt_node
        return catalogue.also(routines={".".join(made.parent.name_path): made.signature})
    if which == "resolved_create_view_base_node":
        view = create.resolved_create_view_base_node.resolved_create_view_stmt_node.parent
        return catalogue.also({_name(view.parent): {c.name: c.column.type for c in view.output_column_list}})
    if which == "resolved_create_table_stmt_base_node":
        return _table(create.resolved_create_table_stmt_base_node, text, catalogue)
    return catalogue


def _table(base: Any, text: str, catalogue: Catalogue) -> Catalogue:
    made = getattr(base, base.WhichOneof("node")).parent
    name = _name(made.parent)
    columns = {c.name: c.type for c in made.column_definition_list}
    if copied := _COPIED.match(text):
        columns = dict(catalogue.tables[copied["source"].replace("`", "")])
    if "IF NOT EXISTS" in text.upper() and name in catalogue.tables:
        return catalogue
    return catalogue.also({name: columns})


def _name(create: Any) -> str:
    return ".".join(create.name_path)


def _proto(catalogue: Catalogue) -> Any:
    from zetasql.wasi._pb2.zetasql.proto import simple_catalog_pb2

    root = simple_catalog_pb2.SimpleCatalogProto(name="project")
    root.builtin_function_options.language_options.CopyFrom(engine().language)
    datasets: dict[str, Any] = {"": root}
    for name, columns in catalogue.tables.items():
        _add_table(_dataset(datasets, name), name.rpartition(".")[2], columns)
    for name, signature in catalogue.routines.items():
        made = _dataset(datasets, name).custom_function.add(name_path=[name.rpartition(".")[2]], group="routines")
        made.signature.add().CopyFrom(signature)
    for name, proto in catalogue.variables.items():
        made = root.constant.add(name_path=[name])
        made.type.CopyFrom(proto)
        made.value.SetInParent()
    return root


def _dataset(datasets: dict[str, Any], name: str) -> Any:
    dataset = name.rpartition(".")[0]
    if dataset not in datasets:
        datasets[dataset] = datasets[""].catalog.add(name=dataset)
        information = datasets[dataset].catalog.add(name="INFORMATION_SCHEMA")
        for table, columns in _INFORMATION_SCHEMA.items():
            _add_table(information, table, typed(columns.items()))
    return datasets[dataset]


def _add_table(dataset: Any, name: str, columns: Columns) -> None:
    table = dataset.table.add(name=name, serialization_id=0)
    for column, proto in columns.items():
        table.column.add(name=column).type.CopyFrom(proto)


def typed(columns: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return name -> ``TypeProto`` of columns or parameters given by BigQuery's names of types."""
    return {name: kind(text) for name, text in columns}
