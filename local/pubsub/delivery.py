"""When a message may be delivered again, and when it is a dead letter. Pure."""

from dataclasses import dataclass

from google.pubsub_v1 import types

from local.pubsub.limits import seconds


@dataclass(frozen=True)
class Policy:
    """What decides redelivery for one subscription; times are in seconds."""

    minimum_backoff: float = 0.0
    maximum_backoff: float = 0.0
    max_attempts: int = 0
    dead_letter_topic: str = ""

    @classmethod
    def of(cls, subscription: types.Subscription) -> "Policy":
        """Return the policy of a subscription; without a retry policy redelivery is immediate."""
        pb = types.Subscription.pb(subscription)
        retry, dead = pb.retry_policy, pb.dead_letter_policy
        has_retry = pb.HasField("retry_policy")
        return cls(
            minimum_backoff=(seconds(retry.minimum_backoff) or 10.0) if has_retry else 0.0,
            maximum_backoff=(seconds(retry.maximum_backoff) or 600.0) if has_retry else 0.0,
            max_attempts=(dead.max_delivery_attempts or 5) if dead.dead_letter_topic else 0,
            dead_letter_topic=dead.dead_letter_topic,
        )

    def backoff(self, attempts: int) -> float:
        """Return how long to wait after the ``attempts``-th delivery failed."""
        if not self.minimum_backoff:
            return 0.0
        doubled: float = self.minimum_backoff * 2.0 ** min(max(attempts - 1, 0), 30)
        return min(doubled, self.maximum_backoff)

    def is_dead(self, attempts: int) -> bool:
        """Whether a message that was delivered so often goes to the dead-letter topic."""
        return bool(self.max_attempts) and attempts >= self.max_attempts
