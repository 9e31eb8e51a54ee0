"""Clients that wait a fiftieth of their back-off: what is proved is what they do, not how long they can wait."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from google.api_core.retry import retry_streaming, retry_unary
from google.cloud.storage._media.requests import _request_helpers

SHARE = 0.02
_PLACES = (retry_unary, retry_streaming, _request_helpers)


@contextmanager
def short_patience() -> Iterator[None]:
    """Shorten the sleeps between a Google client's retries, and nothing else."""
    hasty = SimpleNamespace(**{**vars(time), "sleep": lambda seconds: time.sleep(seconds * SHARE)})
    try:
        for place in _PLACES:
            place.time = hasty
        yield
    finally:
        for place in _PLACES:
            place.time = time
