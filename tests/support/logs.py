"""What the code under test logs, as records."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stockflow.log import _logger


@contextmanager
def logged() -> Iterator[list[Any]]:
    """Collect the records that ``stockflow.log.log`` writes: ``levelname``, ``labels``, ``json_fields``."""
    records: list[Any] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[assignment,method-assign]
    _logger().addHandler(handler)
    try:
        yield records
    finally:
        _logger().removeHandler(handler)
