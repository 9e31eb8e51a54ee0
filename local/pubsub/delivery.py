"""When a message may be delivered again, when it is a dead letter, and what an ack id is worth. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from local.pubsub.errors import invalid
from local.pubsub.wire import get_time

DEFAULT_ATTEMPTS = 5
PUSH_BACKOFF = (0.1, 5.0)
"""An endpoint that refuses is not asked again at full speed, also without a retry policy."""


@dataclass(frozen=True)
class Policy:
    """What decides redelivery for one subscription; times are in seconds."""

    minimum_backoff: float = 0.0
    maximum_backoff: float = 0.0
    max_attempts: int = 0
    dead_letter_topic: str = ""

    @classmethod
    def of(cls, subscription: Any) -> "Policy":
        """Return the policy of a subscription; without a retry policy redelivery is immediate, of a push nearly."""
        retry, dead = subscription.retry_policy, subscription.dead_letter_policy
        low, high = PUSH_BACKOFF if subscription.push_config.push_endpoint else (0.0, 0.0)
        if subscription.HasField("retry_policy"):
            low, high = get_time(retry.minimum_backoff), get_time(retry.maximum_backoff)
        return cls(
            minimum_backoff=low,
            maximum_backoff=high,
            max_attempts=(dead.max_delivery_attempts or DEFAULT_ATTEMPTS) if dead.dead_letter_topic else 0,
            dead_letter_topic=dead.dead_letter_topic,
        )

    def backoff(self, attempts: int) -> float:
        """Return how long to wait after the ``attempts``-th delivery failed."""
        doubled: float = self.minimum_backoff * 2.0 ** min(max(attempts - 1, 0), 30)
        return min(doubled, self.maximum_backoff)

    def is_dead(self, attempts: int) -> bool:
        """Whether a message that was delivered so often goes to the dead-letter topic."""
        return bool(self.max_attempts) and attempts >= self.max_attempts


@dataclass(frozen=True)
class AckId:
    """What an ack id says: the ``token``-th lease of a message by a subscription."""

    subscription: int
    message: int
    token: int

    def __str__(self) -> str:
        return f"{self.subscription}:{self.message}:{self.token}"

    @classmethod
    def parse(cls, text: str) -> "AckId":
        """Return the ack id of a text.

        Raises:
            ServiceError: INVALID_ARGUMENT when this service never gave out such an id.
        """
        parts = text.split(":")
        if len(parts) != 3 or not all(p.isascii() and p.isdigit() and len(p) < 19 for p in parts):
            raise invalid(f"You have passed an invalid ack ID to the service (ack_id={text}).")
        return cls(*(int(p) for p in parts))


@dataclass(frozen=True)
class Delivery:
    """The state of one message in one subscription."""

    message: int
    acked: int
    token: int
    available: float
    attempts: int
    leased: int
    floor: int
    ordering_key: str

    def held(self, token: int, now: float) -> bool:
        """Whether the ``token``-th lease still holds."""
        return not self.acked and bool(self.leased) and self.token == token and self.available > now

    def acknowledgeable(self, token: int, now: float, exactly_once: bool) -> bool:
        """Whether an acknowledgement of the ``token``-th lease counts.

        A late one does, best effort, unless the subscription is exactly-once or a seek came between.
        """
        if token <= self.floor:
            return False
        return not exactly_once or self.held(token, now) or (bool(self.acked) and self.token == token)


def pick(due: Iterable[tuple[int, str]], blocked: set[str], limit: int, one_per_key: bool) -> Iterator[int]:
    """Yield which due messages, given oldest first, may go out without breaking the order of their key."""
    taken: set[str] = set()
    for message, key in due:
        if limit <= 0:
            return
        if key and (key in blocked or key in taken):
            continue
        if key and one_per_key:
            taken.add(key)
        limit -= 1
        yield message
