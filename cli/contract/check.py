"""What is wrong with a contract, each fault with its line and what may have been meant. Pure but for the file."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cli.contract.keys import (
    BOUNDS,
    COLUMN_PROPERTIES,
    CONTRACT,
    CONTRACT_PROPERTIES,
    EXPECTATIONS,
    RULE_PROPERTIES,
    Place,
)  # fmt: skip
from cli.nearest import hint
from stockflow.contracts import load_contract, normalise_header
from stockflow.documents import compose_yaml
from stockflow.errors import PermanentError
from stockflow.vocabulary import meanings


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong; ``line`` from 1."""

    file: str
    line: int
    message: str


@dataclass(frozen=True)
class _Node:
    """A value of the document with its line; ``items`` and ``keys`` look below it."""

    node: yaml.Node

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    @property
    def keys(self) -> list[tuple[str, "_Node", "_Node"]]:
        """Key, its place and its value, for each entry of a mapping."""
        if not isinstance(self.node, yaml.MappingNode):
            return []
        return [(str(k.value), _Node(k), _Node(v)) for k, v in self.node.value]

    @property
    def items(self) -> list["_Node"]:
        return [_Node(n) for n in self.node.value] if isinstance(self.node, yaml.SequenceNode) else []

    def get(self, name: str) -> "_Node | None":
        return next((value for key, _, value in self.keys if key == name), None)

    def custom(self) -> dict[str, "_Node"]:
        """Return the values of ``customProperties`` by name."""
        listed = self.get("customProperties")
        pairs = [(i.get("property"), i.get("value")) for i in (listed.items if listed else [])]
        return {str(name.value): value for name, value in pairs if name and value}

    @property
    def value(self) -> Any:
        """The value in plain Python."""
        loader = yaml.SafeLoader("")
        return loader.construct_document(self.node)


def check_file(path: Path) -> list[Fault]:
    """Return the faults of a contract in the order of its lines; none when it can be used as it is."""
    text = path.read_text(encoding="utf-8")
    try:
        root = compose_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return [Fault(str(path), mark.line + 1 if mark else 1, f"not YAML: {getattr(error, 'problem', error)}")]
    if not isinstance(root, yaml.MappingNode):
        return [Fault(str(path), 1, "not a contract: expected keys such as apiVersion, id, schema")]
    found = sorted(set(_faults(_Node(root), path)))
    faults = [Fault(str(path), line, message) for line, message in found]
    return faults or _as_it_is_read(path)


def _as_it_is_read(path: Path) -> list[Fault]:
    """What only the reading itself finds, such as a time zone that does not exist."""
    try:
        load_contract(path)
    except PermanentError as error:
        return [Fault(str(path), 1, error.message)]
    return []


Found = Iterator[tuple[int, str]]


def _faults(root: _Node, path: Path) -> Found:
    yield from _shape(root, CONTRACT, "the contract")
    yield from _customs(root, CONTRACT_PROPERTIES, "the contract")
    yield from _limits(root)
    schema = root.get("schema")
    if schema is None or not schema.items:
        return
    table = schema.items[0]
    name = table.get("name")
    if name is not None and name.value != path.stem:
        yield name.line, f"the feed is called {name.value!r}, the file {path.stem!r}: expected the same name"
    columns = _columns(table)
    yield from _dates(root, columns)
    yield from _aliases(columns.values())
    for column in columns.values():
        yield from _customs(column, COLUMN_PROPERTIES, "a column")
        for rule in _rules(column):
            yield from _rule(rule, columns, column)
    for rule in _rules(table):
        yield from _rule(rule, columns, None)
    if columns and not any((k := c.get("primaryKey")) and k.value for c in columns.values()):
        yield table.line, "no column has `primaryKey: true`: nothing tells one statement from another"


def _shape(node: _Node, place: Place, where: str) -> Found:
    """Yield keys that are not known or not there, and words that are not accepted."""
    if not isinstance(node.node, yaml.MappingNode):
        if node.node.tag != "tag:yaml.org,2002:str":
            yield node.line, f"expected keys of {where}: {', '.join(place.known)}"
        return
    present = [key for key, _, _ in node.keys]
    for name in place.required:
        if name not in present:
            yield node.line, f"{where} has no `{name}`"
    for key, at, value in node.keys:
        if present.count(key) > 1:
            yield at.line, f"`{key}` is written twice: the last one would win"
        if key not in place.known:
            yield at.line, f"`{key}` is not a key of {where}{hint(key, place.known)}"
        elif key in place.words and value.value not in place.words[key]:
            yield value.line, f"{key}: {value.value!r} is not one of {', '.join(place.words[key])}"
        if key in place.below:
            yield from _shape(value, place.below[key], f"`{key}`")
        for item in value.items if f"{key}[]" in place.below else ():
            yield from _shape(item, place.below[f"{key}[]"], f"an item of `{key}`")


def _customs(node: _Node, known: tuple[str, ...], where: str) -> Found:
    for name, value in node.custom().items():
        if name not in known:
            yield value.line, f"`{name}` is not a custom property of {where} that anything reads{hint(name, known)}"


def _limits(root: _Node) -> Found:
    """Yield limits that would hold every file, or none."""
    for name, value in root.custom().items():
        if name not in BOUNDS:
            continue
        least, most, what = BOUNDS[name]
        try:
            stands = least <= float(str(value.value)) <= most
        except ValueError:
            stands = False
        if not stands:
            yield value.line, f"{name}: {value.value!r} is not {what}"


def _columns(table: _Node) -> dict[str, _Node]:
    listed = table.get("properties")
    named = [(i.get("name"), i) for i in (listed.items if listed else [])]
    return {str(name.value): item for name, item in named if name}


def _rules(node: _Node) -> list[_Node]:
    listed = node.get("quality")
    return listed.items if listed else []


def _dates(root: _Node, columns: dict[str, _Node]) -> Found:
    for name in ("businessDate", "businessTime", "clusterBy"):
        value = root.custom().get(name)
        if value is not None and value.value not in columns:
            yield value.line, f"{name}: no column {value.value!r}{hint(str(value.value), columns)}"


def _aliases(columns: Iterable[_Node]) -> Found:
    """Yield headers that mean two columns."""
    seen: dict[str, tuple[str, int]] = {}
    for column in columns:
        custom = column.custom()
        if (derived := custom.get("derived")) and derived.value:
            continue
        named, aliases, taken = column.get("name"), custom.get("aliases"), custom.get("vocabulary")
        assert named is not None
        headers = [(str(h.value), h.line) for h in [named, *(aliases.items if aliases else [])]]
        for meaning in _meanings(taken):
            if meaning in meanings():
                headers += [(name, taken.line if taken else 0) for name in meanings()[meaning].names]
            else:
                yield taken.line if taken else 0, f"vocabulary {meaning!r} is not known{hint(meaning, meanings())}"
        for header, at in headers:
            name, line = seen.setdefault(normalise_header(header), (str(named.value), at))
            if name != named.value:
                yield at, f"header {header!r} means {name!r} (line {line}) and {named.value!r}"


def _meanings(taken: _Node | None) -> list[str]:
    value = taken.value if taken else []
    return [value] if isinstance(value, str) else [str(v) for v in value]


def _rule(rule: _Node, columns: dict[str, _Node], column: _Node | None) -> Found:
    yield from _customs(rule, RULE_PROPERTIES, "a rule")
    body = rule.get("implementation")
    kind = body.get("type") if body else None
    if body is None or kind is None:
        return
    if kind.value not in EXPECTATIONS:
        yield kind.line, f"rule {kind.value!r} is not known{hint(str(kind.value), EXPECTATIONS)}"
        return
    needed, others = EXPECTATIONS[kind.value]
    kwargs = body.get("kwargs")
    given = {key: value for key, _, value in (kwargs.keys if kwargs else [])}
    for name in needed:
        if name not in given:
            yield body.line, f"{kind.value} needs `{name}`"
    for name, value in given.items():
        if name not in (*needed, *others):
            yield value.line, f"`{name}` is not an argument of {kind.value}{hint(name, (*needed, *others))}"
        yield from _argument(name, value, columns)
    if kind.value == "expect_column_values_to_be_between":
        yield from _bounds(given, column)


def _argument(name: str, value: _Node, columns: dict[str, _Node]) -> Found:
    """Yield columns that are not there, and patterns that do not compile."""
    named = value.items if name in ("columns", "column_list") else [value] if name.startswith("column") else []
    for column in named:
        if column.value not in columns:
            yield column.line, f"no column {column.value!r}{hint(str(column.value), columns)}"
    if name == "regex":
        try:
            re.compile(str(value.value))
        except re.error as error:
            yield value.line, f"regex: {error}"


def _bounds(given: dict[str, _Node], column: _Node | None) -> Found:
    kind = column.get("logicalType") if column else None
    if kind is None or kind.value not in ("number", "integer"):
        return
    for name in ("min_value", "max_value"):
        value = given.get(name)
        if value is not None and not isinstance(value.value, int | float):
            said = " (YAML takes 1e-06 for text: write 0.000001)" if "e" in str(value.value) else ""
            yield value.line, f"{name}: {value.value!r} is not a number{said}"
