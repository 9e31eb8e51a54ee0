"""What the service refuses to publish or to configure. Pure."""

from collections.abc import Sequence
from typing import Any

from local.pubsub.errors import invalid, out_of_range, unimplemented
from local.pubsub.filters import compile_filter
from local.pubsub.names import check
from local.pubsub.wire import get_time

MAX_REQUEST = 10_000_000
MAX_MESSAGES = 1_000
MAX_ATTRIBUTES = 100
MAX_KEY = 256
MAX_VALUE = 1024
DAY = 86_400
_EMPTY = (
    "One or more messages in the publish request is empty. Each message must contain either non-empty data, or at "
    "least one attribute. See https://cloud.google.com/pubsub/docs/reference/rest/v1/PubsubMessage."
)


def check_range(what: str, value: float, low: float, high: float, unit: str = "", error: Any = invalid) -> None:
    """Raise INVALID_ARGUMENT (or ``error``) unless ``low <= value <= high``, in the service's words."""
    passed = f"You passed {value:.0f}{unit} in the request"
    if value < low:
        raise error(f"The value for {what} is too small. {passed}, but the minimum value is {low:.0f}{unit}.")
    if value > high:
        raise error(f"The value for {what} is too large. {passed}, but the maximum value is {high:.0f}{unit}.")


# -- publishing


def check_publish(messages: Sequence[Any], size: int) -> None:
    """Raise INVALID_ARGUMENT when a publish request breaks a limit of the service."""
    check_range("message_count", len(messages), 1, MAX_MESSAGES)
    check_range("request_size", size, 0, MAX_REQUEST)
    for message in messages:
        if not message.data and not message.attributes:
            raise invalid(_EMPTY)
        check_range("attributes_count", len(message.attributes), 0, MAX_ATTRIBUTES)
        for key, value in message.attributes.items():
            _check_attribute(key, value)
        check_range("ordering_key_size", len(message.ordering_key.encode()), 0, 1024)


def _check_attribute(key: str, value: str) -> None:
    check_range("attribute_key_size", len(key.encode()), 1, MAX_KEY)
    check_range("attribute_value_size", len(value.encode()), 0, MAX_VALUE)
    if key.startswith("goog"):
        raise invalid(f"Attribute keys must not begin with 'goog' (key={key}).")


# -- configuration


def check_topic(topic: Any) -> None:
    """Raise when a topic cannot be as it is described."""
    for field in ("schema_settings", "ingestion_data_source_settings"):
        if topic.HasField(field):
            raise unimplemented(f"{field} of a topic")
    if topic.message_transforms:
        raise unimplemented("message transforms")
    if topic.HasField("message_retention_duration"):
        _check_duration("message_retention_duration", topic.message_retention_duration, 600, 31 * DAY)


def complete(sub: Any) -> None:
    """Fill in the documented defaults of a subscription."""
    sub.ack_deadline_seconds = sub.ack_deadline_seconds or 10
    if not sub.HasField("message_retention_duration"):
        sub.message_retention_duration.seconds = 7 * DAY
    if not sub.HasField("expiration_policy"):
        sub.expiration_policy.ttl.seconds = 31 * DAY
    if sub.HasField("retry_policy"):
        _complete_retry(sub.retry_policy)
    if sub.HasField("dead_letter_policy") and not sub.dead_letter_policy.max_delivery_attempts:
        sub.dead_letter_policy.max_delivery_attempts = 5
    sub.state = 1


def _complete_retry(retry: Any) -> None:
    if not retry.HasField("minimum_backoff"):
        retry.minimum_backoff.seconds = 10
    if not retry.HasField("maximum_backoff"):
        retry.maximum_backoff.seconds = 600


def check_subscription(sub: Any) -> None:
    """Raise when a (completed) subscription cannot be as it is described."""
    for field in ("bigquery_config", "cloud_storage_config", "bigtable_config"):
        if sub.HasField(field):
            raise unimplemented(f"subscriptions with {field}")
    if sub.message_transforms:
        raise unimplemented("message transforms")
    check_range("ack_deadline_seconds", sub.ack_deadline_seconds, 10, 600)
    compile_filter(sub.filter)
    _check_duration("message_retention_duration", sub.message_retention_duration, 600, 31 * DAY)
    if sub.expiration_policy.HasField("ttl"):
        _check_duration("expiration_policy.ttl", sub.expiration_policy.ttl, DAY, 100 * 366 * DAY)
    if sub.HasField("dead_letter_policy"):
        check(sub.dead_letter_policy.dead_letter_topic, "topics")
        attempts = sub.dead_letter_policy.max_delivery_attempts
        check_range("max_delivery_attempts", attempts, 5, 100, error=out_of_range)
    if sub.HasField("retry_policy"):
        _check_retry(sub.retry_policy)
    check_push(sub)


def check_push(sub: Any) -> None:
    """Raise when a subscription cannot push as it should."""
    endpoint = sub.push_config.push_endpoint
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise invalid(f"Invalid push endpoint given (endpoint={endpoint}).")
    if endpoint and sub.enable_exactly_once_delivery:
        raise invalid("Exactly-once delivery is only supported for pull subscriptions.")


def _check_retry(retry: Any) -> None:
    low, high = get_time(retry.minimum_backoff), get_time(retry.maximum_backoff)
    for name, value in (("minimum_backoff", low), ("maximum_backoff", high)):
        if not 0 <= value <= 600:
            raise invalid(
                f"The value for {name} is out of bounds. You passed {value:.0f}s in the request, but the value "
                "must be between 0s and 600s."
            )
    if low > high:
        raise invalid(
            f"The value for maximum_backoff is too small. You passed {high:.0f}s in the request, but the minimum "
            f"value is {low:.0f}s."
        )


def _check_duration(what: str, duration: Any, low: float, high: float) -> None:
    check_range(what, get_time(duration), low, high, "s")


# -- updates

_MUTABLE = {
    "Topic": {"labels", "message_storage_policy", "kms_key_name", "schema_settings", "message_retention_duration",
              "ingestion_data_source_settings", "message_transforms"},
    "Subscription": {"push_config", "bigquery_config", "cloud_storage_config", "ack_deadline_seconds", "labels",
                     "retain_acked_messages", "message_retention_duration", "expiration_policy", "retry_policy",
                     "dead_letter_policy", "enable_exactly_once_delivery", "message_transforms"},
    "Snapshot": {"labels", "expire_time"},
}  # fmt: skip


def merge(new: Any, current: Any, paths: Sequence[str]) -> None:
    """Copy the masked fields of ``new`` over those of ``current``.

    Raises:
        ServiceError: INVALID_ARGUMENT for a field that is unknown or that never changes.
    """
    kind = current.DESCRIPTOR.name
    request = f"Update{kind}Request"
    if not paths:
        raise invalid(f"The update_mask in the {request} must be set, and must contain a non-empty paths list.")
    for path in paths:
        if path not in current.DESCRIPTOR.fields_by_name:
            raise invalid(
                f"Invalid update_mask provided in the {request}: {path} is not a known {kind} field. Note that "
                "field paths must be of the form 'push_config' rather than 'pushConfig'."
            )
        if path not in _MUTABLE[kind]:
            raise invalid(
                f"Invalid update_mask provided in the {request}: the {path} field in the {kind} is not mutable."
            )
    for path in paths:
        _copy(new, current, path)


def _copy(new: Any, current: Any, path: str) -> None:
    current.ClearField(path)
    present = {field.name for field, _ in new.ListFields()}
    if path not in present:
        return
    value = getattr(new, path)
    if hasattr(value, "DESCRIPTOR"):
        getattr(current, path).CopyFrom(value)
    elif hasattr(value, "MergeFrom"):
        getattr(current, path).MergeFrom(value)
    else:
        setattr(current, path, value)
