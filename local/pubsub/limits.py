"""What the service refuses to publish or to configure. Pure."""

from collections.abc import Mapping, Sequence

from google.protobuf.duration_pb2 import Duration

from local.pubsub.errors import invalid

MAX_REQUEST = 10_000_000
MAX_MESSAGES = 1_000
MAX_ATTRIBUTES = 100
DAY = 86_400


def check_publish(messages: Sequence[tuple[bytes, Mapping[str, str], str]], size: int) -> None:
    """Raise INVALID_ARGUMENT when a publish request breaks a limit of the service."""
    if not messages:
        raise invalid(
            "The value for message_count is too small. You passed 0 in the request, but the minimum value is 1."
        )
    if len(messages) > MAX_MESSAGES:
        raise invalid(
            f"The value for message_count is too large. You passed {len(messages)} in the request, "
            f"but the maximum value is {MAX_MESSAGES}."
        )
    if size > MAX_REQUEST:
        raise invalid(
            f"The value for request_size is too large. You passed {size} in the request, "
            f"but the maximum value is {MAX_REQUEST}."
        )
    for data, attributes, key in messages:
        _check_message(data, attributes, key)


def _check_message(data: bytes, attributes: Mapping[str, str], key: str) -> None:
    if not data and not attributes:
        raise invalid("One or more messages in the publish request is empty. Each message must contain either "
                      "non-empty data, or at least one attribute.")  # fmt: skip
    if len(attributes) > MAX_ATTRIBUTES:
        raise invalid(f"A message has {len(attributes)} attributes; the maximum is {MAX_ATTRIBUTES}.")
    for name, value in attributes.items():
        if not name or len(name.encode()) > 256:
            raise invalid("An attribute's key must have 1 to 256 bytes.")
        if name.startswith("goog") and not name.startswith("googclient_"):
            raise invalid(f"Attribute key {name!r} is reserved: it must not begin with 'goog'.")
        if len(value.encode()) > 1024:
            raise invalid(f"The value of attribute {name!r} has more than 1024 bytes.")
    if len(key.encode()) > 1024:
        raise invalid("The ordering key has more than 1024 bytes.")


def check_range(what: str, value: float, low: float, high: float) -> None:
    """Raise INVALID_ARGUMENT unless ``low <= value <= high``."""
    if not low <= value <= high:
        raise invalid(f"Invalid {what}: {value:g}. It must be between {low:g} and {high:g}.")


def seconds(duration: Duration) -> float:
    """Return a protobuf duration in seconds."""
    return float(duration.seconds + duration.nanos / 1e9)
