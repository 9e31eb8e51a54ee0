"""The one place that wires an environment: built at the first event, never at import."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING

from stockflow.contracts import Contract, load_contracts
from stockflow.ledger import Ledger
from stockflow.senders import Sender, contract_of, load_senders, sender_of
from stockflow.settings import Settings

if TYPE_CHECKING:
    from stockflow.gcp import Dataflow, Lineage, ObjectStore, Publisher, Warehouse


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Services:
    """What a stage works with. Clients are opened when first used; ``clock`` returns UTC now."""

    settings: Settings
    clock: Callable[[], datetime] = _now

    @classmethod
    def from_env(cls) -> "Services":
        """Return the services of the environment that the variables name."""
        return cls(Settings.from_env())

    @cached_property
    def object_store(self) -> "ObjectStore":
        """Cloud Storage."""
        from stockflow.gcp import ObjectStore

        return ObjectStore(self.settings)

    @cached_property
    def warehouse(self) -> "Warehouse":
        """BigQuery."""
        from stockflow.gcp import Warehouse

        return Warehouse(self.settings)

    @cached_property
    def publisher(self) -> "Publisher":
        """Pub/Sub."""
        from stockflow.gcp import Publisher

        return Publisher(self.settings)

    @cached_property
    def dataflow(self) -> "Dataflow":
        """Dataflow, for files too large for one call."""
        from stockflow.gcp import Dataflow

        return Dataflow(self.settings)

    @cached_property
    def lineage(self) -> "Lineage":
        """Where OpenLineage events go."""
        from stockflow.gcp import Lineage

        return Lineage(self.settings)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger in ``inventory_ops``."""
        return Ledger(self.warehouse, self.settings)

    @cached_property
    def contracts(self) -> dict[str, Contract]:
        """The contracts by feed."""
        return load_contracts(self.settings.contracts_dir)

    @cached_property
    def senders(self) -> tuple[Sender, ...]:
        """The profiles of senders."""
        return load_senders(self.settings.contracts_dir)

    def contract_for(self, feed: str, name: str) -> Contract:
        """Return the contract by which an object is read: its feed's, with what its sender's profile declares.

        Raises:
            KeyError: when there is no such feed.
            PermanentError: ``ambiguous_sender`` or ``bad_sender``.
        """
        return contract_of(self.contracts[feed], sender_of(name, self.senders))


@cache
def services() -> Services:
    """Return this process's services, built once from the environment."""
    return Services.from_env()
