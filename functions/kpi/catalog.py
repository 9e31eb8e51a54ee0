"""The catalogue: the definitions of an environment."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING

from functions.kpi.cached import keep, recall
from functions.kpi.contract_params import with_values
from functions.kpi.definition import Definition, parse
from stockflow.contracts import Contract, load_contracts
from stockflow.errors import PermanentError
from stockflow.events import ObjectRef
from stockflow.known_calendars import contracts_with_calendars, read_profiles
from stockflow.senders import load_senders, with_calendars
from stockflow.services import Services
from stockflow.settings import bundle_root

if TYPE_CHECKING:
    from stockflow.gcp import ObjectStore

_texts: dict[ObjectRef, str] = {}


@dataclass(frozen=True)
class Catalog:
    """The definitions that can be read, and name -> what is wrong with each that cannot."""

    definitions: dict[str, Definition]
    faults: dict[str, PermanentError]


def read_catalog(uri: str, services: Services | None = None) -> Catalog:
    """Return what a folder, or ``gs://bucket/prefix`` (with ``services``), defines; a bad file hides no other."""
    return catalog_of(read_texts(uri, services), contracts_of(services))


def read_headers(uri: str, services: Services | None = None) -> Catalog:
    """Return what ``read_catalog`` does without a look at the SQL, which takes a parser and half a second."""
    return _catalog(read_texts(uri, services), contracts_of(services), lambda _: None)


def contracts_of(services: Services | None = None) -> dict[str, Contract]:
    """Return the contracts (of this checkout without ``services``) with the calendars of the senders' locations.

    A profile that is wrong stops no other KPI: its calendar counts where that can be read, and those that need a
    calendar which nobody can know have to wait (``bad_sender``).
    """
    folder = services.settings.contracts_dir if services else bundle_root() / "contracts"
    contracts = services.contracts if services else load_contracts(folder)
    try:
        return with_calendars(contracts, services.senders if services else load_senders(folder))
    except PermanentError:
        return contracts_with_calendars(contracts, read_profiles(folder))


def catalog_of(texts: Mapping[str, str], contracts: Mapping[str, Contract]) -> Catalog:
    """Return what files (name -> text) define, with the values of the contracts in them."""
    from functions.kpi.graph import check

    return _catalog(texts, contracts, check)


def _catalog(
    texts: Mapping[str, str], contracts: Mapping[str, Contract], check: Callable[[Definition], None]
) -> Catalog:
    found = Catalog({}, {})
    for file_name, text in sorted(texts.items()):
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


def _text(ref: ObjectRef, store: "ObjectStore") -> str:
    """Return the text of a generation; what is kept is what its listing says it is, and never a newer one's."""
    parts = ("text", ref.bucket, ref.name, ref.generation, ref.md5)
    if (known := recall(*parts)) is not None:
        return str(known)
    data = store.read(ref.bucket, ref.name)
    if b64encode(md5(data, usedforsecurity=False).digest()).decode() == ref.md5:
        keep(data.decode(), *parts)
    return data.decode()


def read_texts(uri: str, services: Services | None = None, only: str = "") -> dict[str, str]:
    """Return file name -> text of the definitions in a folder, or ``gs://bucket/prefix`` (with ``services``).

    ``only`` is the name of the one file that is wanted; nothing is found where it is not there.
    """
    if not uri.startswith("gs://"):
        return {p.name: p.read_text(encoding="utf-8") for p in Path(uri).glob(only or "*.sql")}
    assert services is not None, "definitions in a bucket need services to read them"
    bucket, _, prefix = uri.removeprefix("gs://").partition("/")
    store = services.object_store
    wanted = f"{prefix}/{only}" if only else prefix
    objects = [o for o in store.list(bucket, wanted) if o.name.endswith(f"/{only}" if only else ".sql")]
    for found in objects:
        if found not in _texts:  # an object of one generation never changes
            _texts[found] = _text(found, store)
    return {found.name.rsplit("/", 1)[-1]: _texts[found] for found in objects}
