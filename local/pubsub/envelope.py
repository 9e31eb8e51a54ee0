"""What a push request carries: the message wrapped as JSON, or bare. Pure."""

import base64
import json

from local.pubsub.catalog import Sub
from local.pubsub.leases import Leased, iso

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate, br",
    "From": "noreply@google.com",
    "User-Agent": "CloudPubSub-Google",
}


def body(sub: Sub, leased: Leased) -> bytes:
    """Return the body that the real service posts: field names in both spellings."""
    message = leased.message
    if sub.pb.push_config.HasField("no_wrapper"):
        return message.data
    when, number = iso(leased.published), str(leased.id)
    inner: dict[str, object] = {"messageId": number, "message_id": number, "publishTime": when, "publish_time": when}
    if message.data:
        inner["data"] = base64.b64encode(message.data).decode()
    if message.attributes:
        inner["attributes"] = message.attributes
    if message.ordering_key:
        inner["orderingKey"] = message.ordering_key
    wrapped: dict[str, object] = {"message": inner, "subscription": sub.name}
    if sub.policy.dead_letter_topic:
        wrapped["deliveryAttempt"] = leased.attempts
    return json.dumps(wrapped, ensure_ascii=False).encode()


def headers(sub: Sub, leased: Leased) -> dict[str, str]:
    """Return the headers that the real service sends."""
    push = sub.pb.push_config
    if not push.HasField("no_wrapper"):
        return {"Content-Type": "application/json", **_HEADERS}
    if not push.no_wrapper.write_metadata:
        return dict(_HEADERS)
    metadata = {
        "x-goog-pubsub-subscription-name": sub.name,
        "x-goog-pubsub-message-id": str(leased.id),
        "x-goog-pubsub-publish-time": iso(leased.published),
    }
    if leased.message.ordering_key:
        metadata["x-goog-pubsub-ordering-key"] = leased.message.ordering_key
    return {**_HEADERS, **metadata, **leased.message.attributes}
