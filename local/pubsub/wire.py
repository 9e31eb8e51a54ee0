"""The protobuf classes of ``google.pubsub.v1``, without the wrapping that the client library adds."""

from typing import Any

from google.protobuf import empty_pb2
from google.pubsub_v1 import types

PUBLISHER: dict[str, Any] = {
    "CreateTopic": types.Topic.pb(),
    "UpdateTopic": types.UpdateTopicRequest.pb(),
    "Publish": types.PublishRequest.pb(),
    "GetTopic": types.GetTopicRequest.pb(),
    "ListTopics": types.ListTopicsRequest.pb(),
    "ListTopicSubscriptions": types.ListTopicSubscriptionsRequest.pb(),
    "ListTopicSnapshots": types.ListTopicSnapshotsRequest.pb(),
    "DeleteTopic": types.DeleteTopicRequest.pb(),
    "DetachSubscription": types.DetachSubscriptionRequest.pb(),
}
SUBSCRIBER: dict[str, Any] = {
    "CreateSubscription": types.Subscription.pb(),
    "GetSubscription": types.GetSubscriptionRequest.pb(),
    "UpdateSubscription": types.UpdateSubscriptionRequest.pb(),
    "ListSubscriptions": types.ListSubscriptionsRequest.pb(),
    "DeleteSubscription": types.DeleteSubscriptionRequest.pb(),
    "ModifyAckDeadline": types.ModifyAckDeadlineRequest.pb(),
    "Acknowledge": types.AcknowledgeRequest.pb(),
    "Pull": types.PullRequest.pb(),
    "StreamingPull": types.StreamingPullRequest.pb(),
    "ModifyPushConfig": types.ModifyPushConfigRequest.pb(),
    "GetSnapshot": types.GetSnapshotRequest.pb(),
    "ListSnapshots": types.ListSnapshotsRequest.pb(),
    "CreateSnapshot": types.CreateSnapshotRequest.pb(),
    "UpdateSnapshot": types.UpdateSnapshotRequest.pb(),
    "DeleteSnapshot": types.DeleteSnapshotRequest.pb(),
    "Seek": types.SeekRequest.pb(),
}
"""The request class of each method of the two services."""

Topic: Any = types.Topic.pb()
Subscription: Any = types.Subscription.pb()
Snapshot: Any = types.Snapshot.pb()
PubsubMessage: Any = types.PubsubMessage.pb()
ReceivedMessage: Any = types.ReceivedMessage.pb()
PublishResponse: Any = types.PublishResponse.pb()
PullResponse: Any = types.PullResponse.pb()
StreamingPullResponse: Any = types.StreamingPullResponse.pb()
SeekResponse: Any = types.SeekResponse.pb()
DetachSubscriptionResponse: Any = types.DetachSubscriptionResponse.pb()
ListTopicsResponse: Any = types.ListTopicsResponse.pb()
ListTopicSubscriptionsResponse: Any = types.ListTopicSubscriptionsResponse.pb()
ListTopicSnapshotsResponse: Any = types.ListTopicSnapshotsResponse.pb()
ListSubscriptionsResponse: Any = types.ListSubscriptionsResponse.pb()
ListSnapshotsResponse: Any = types.ListSnapshotsResponse.pb()
Empty: Any = empty_pb2.Empty


def snake(name: str) -> str:
    """Return the Python name of a method: ``CreateTopic`` is ``create_topic``."""
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


def set_time(stamp: Any, at: float) -> None:
    """Set a protobuf timestamp to a time in seconds, to the microsecond."""
    stamp.seconds, micros = divmod(round(at * 1_000_000), 1_000_000)
    stamp.nanos = micros * 1000


def get_time(stamp: Any) -> float:
    """Return a protobuf timestamp (or duration) in seconds."""
    return float(stamp.seconds + stamp.nanos / 1e9)
