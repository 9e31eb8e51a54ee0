"""What validate tells the other stages."""

from stockflow.events import StageEvent, encode
from stockflow.ledger import StageRecord
from stockflow.points import reached
from stockflow.services import Services

_KINDS = {"validated": "load.validated", "rejected": "load.rejected", "held": "load.held", "failed": "load.failed"}


def publish(record: StageRecord, services: Services, was_let_through: bool) -> None:
    """Tell the others; of a load that was let through before and is not now, transform must hear, too."""
    kinds = [_KINDS[record.state], *(["load.withdrawn"] if was_let_through and not record.passed else [])]
    told = {"rows": record.rows, "quarantined": record.quarantined}
    events = [
        StageEvent(kind, str(record.feed), record.load_id, told, record.landed_on, record.finished_at) for kind in kinds
    ]
    services.publisher.publish_all(services.settings.events_topic, [encode(e) for e in events])
    reached("validate.published")
