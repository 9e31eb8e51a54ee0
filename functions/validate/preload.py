"""Great Expectations, imported once, with telemetry off before its first line runs."""

import os
import threading
from typing import Any

_lock = threading.Lock()


def import_great_expectations() -> Any:
    """Return the module; its usage statistics are off, whatever the environment says.

    The lock makes an event wait for the import that another thread began: Python would hand out the
    half-initialised module where imports go in circles.
    """
    with _lock:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        import great_expectations

        return great_expectations


def preload() -> None:
    """Begin the import without waiting for it."""
    threading.Thread(target=import_great_expectations, daemon=True).start()
