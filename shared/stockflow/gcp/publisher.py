"""Pub/Sub."""

from collections.abc import Iterable, Mapping

from google.api_core import exceptions as api
from google.cloud import pubsub_v1

from stockflow.errors import TransientError
from stockflow.settings import Settings
from stockflow.trace import inject


class Publisher:
    """Pub/Sub: publish, and only return when the message is safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = pubsub_v1.PublisherClient()

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> str:
        """Publish to a topic of this environment and return the message id.

        Raises:
            TransientError: ``publish_failed``.
        """
        return self.publish_all(topic, [(data, attributes)])[0]

    def publish_all(self, topic: str, messages: Iterable[tuple[bytes, Mapping[str, str]]]) -> list[str]:
        """Publish many messages in few requests; return their ids when all are safe."""
        path = self._settings.topic(topic)
        futures = [self._client.publish(path, data, **inject(attributes)) for data, attributes in messages]
        try:
            return [future.result(timeout=60) for future in futures]
        except (api.GoogleAPICallError, TimeoutError) as error:
            raise TransientError("publish_failed", f"{path}: {error}") from error
