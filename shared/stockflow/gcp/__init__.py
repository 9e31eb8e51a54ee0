"""All input and output with Google Cloud: the only package that imports ``google.cloud``.

A client's library is imported when its class is first asked for: a function that never touches
Cloud Storage does not pay for it at cold start.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stockflow.gcp.dataflow import Dataflow as Dataflow
    from stockflow.gcp.lineage import Lineage as Lineage
    from stockflow.gcp.object_store import ObjectStore as ObjectStore
    from stockflow.gcp.publisher import Publisher as Publisher
    from stockflow.gcp.warehouse import Warehouse as Warehouse

_HOMES = {
    "Dataflow": "stockflow.gcp.dataflow",
    "Lineage": "stockflow.gcp.lineage",
    "Publisher": "stockflow.gcp.publisher",
    "ObjectStore": "stockflow.gcp.object_store",
    "Warehouse": "stockflow.gcp.warehouse",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
