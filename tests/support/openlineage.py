"""Reads an event into the classes of the OpenLineage specification: a field that they do not know, lack, or have with
another type is an error."""

from enum import Enum
from importlib import import_module
from pkgutil import iter_modules
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attr
from openlineage.client import generated
from openlineage.client.generated import base

PRIVATE = {"_producer", "_schemaURL"}
# Facets of this project's own: the specification asks for a producer and a schema, and leaves the rest open.
OWN = ("stockflow_",)


def facet_classes() -> dict[tuple[Any, str], Any]:
    """Return (the class that the facets of a place have in common, name of a facet) -> its class."""
    places = (base.InputDatasetFacet, base.OutputDatasetFacet, base.DatasetFacet, base.RunFacet, base.JobFacet)
    found = {}
    for module in iter_modules(generated.__path__):
        for name, kind in vars(import_module(f"{generated.__name__}.{module.name}")).items():
            place = next((p for p in places if isinstance(kind, type) and issubclass(kind, p) and kind is not p), None)
            if place is not None:
                ending = next(p.__name__ for p in places if name.endswith(p.__name__))
                plain = name.removesuffix(ending)
                found[place, plain[0].lower() + plain[1:]] = kind
    found[base.DatasetFacet, "version"] = found[base.DatasetFacet, "datasetVersion"]  # not named after its class
    return found


FACETS = facet_classes()


def read(event: dict[str, Any]) -> base.RunEvent:
    """Return an event as the specification's class.

    Raises:
        TypeError, ValueError: what the specification does not allow, and where.
    """
    found = _read(event, base.RunEvent, "event")
    if event["schemaURL"] != found.schemaURL:
        raise ValueError(f"schemaURL: {event['schemaURL']} instead of {found.schemaURL}")
    return found


def _read(value: Any, kind: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        kind = next(k for k in get_args(kind) if k is not type(None))
        return None if value is None else _read(value, kind, where)
    if origin is list:
        return [_read(v, get_args(kind)[0], f"{where}[{n}]") for n, v in enumerate(value)]
    if origin is dict:
        return _mapping(value, get_args(kind)[1], where)
    if attr.has(kind):
        return _object(value, kind, where)
    return _plain(value, kind, where)


def _mapping(value: dict[str, Any], kind: Any, where: str) -> dict[str, Any]:
    if isinstance(kind, type) and issubclass(kind, base.BaseFacet):
        return {k: _facet(kind, k, v, where) for k, v in value.items()}
    return {k: _read(v, kind, f"{where}.{k}") for k, v in value.items()}


def _plain(value: Any, kind: Any, where: str) -> Any:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if kind is not Any and not isinstance(value, (int, float) if kind is float else kind):
        raise TypeError(f"{where}: {value!r} is not {kind.__name__}")
    return value


def _facet(place: Any, name: str, value: dict[str, Any], where: str) -> Any:
    if PRIVATE - value.keys():
        raise TypeError(f"{where}.{name}: has no _producer or no _schemaURL")
    if name.startswith(OWN):
        return value
    if (kind := FACETS.get((place, name))) is None:
        raise TypeError(f"{where}.{name} is not a facet of the specification")
    if value["_schemaURL"] != kind._get_schema():
        raise ValueError(f"{where}.{name}: {value['_schemaURL']} instead of {kind._get_schema()}")
    return _object(value, kind, f"{where}.{name}")


def _object(value: dict[str, Any], kind: Any, where: str) -> Any:
    hints = get_type_hints(kind)
    fields = {f.name: f for f in attr.fields(kind) if f.name not in PRIVATE and f.init}
    if unknown := value.keys() - fields.keys() - PRIVATE - {"schemaURL"}:
        raise TypeError(f"{where}: {sorted(unknown)} are not known to {kind.__name__}")
    return kind(**{n: _read(v, hints[n], f"{where}.{n}") for n, v in value.items() if n in fields})
