"""A file through the four stages in this process, on the emulators: no function processes, no push."""

from dataclasses import dataclass

from functions.ingest.pipeline import ingest
from functions.kpi.drain import drain as compute
from functions.transform.drain import drain as merge
from stockflow.events import ObjectRef, StageEvent
from stockflow.ledger import Asked
from stockflow.services import Services


@dataclass(frozen=True)
class WholePath:
    """One environment, through which files go."""

    services: Services

    def drop(self, name: str, text: str) -> ObjectRef:
        """Put a file into the landing bucket and take it through every stage that lets it pass."""
        from functions.validate.run import validate

        services = self.services
        bucket = services.settings.landing_bucket
        services.object_store.write(bucket, name, text.encode(), "text/plain")
        ref = services.object_store.stat(bucket, name)
        assert ref is not None
        if ingest(ref, services).state == "loaded":
            feed, asked = name.partition("/")[0], frozenset({Asked(ref.load_id, ref.landed_on)})
            validate(StageEvent("load.ingested", feed, ref.load_id, landed_on=ref.landed_on), services)
            merge(feed, asked, services)
            compute(asked, services)
        return ref
