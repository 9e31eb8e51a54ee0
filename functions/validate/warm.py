"""Great Expectations, imported once, with telemetry off before its first line runs."""

import os
from typing import Any


def import_great_expectations() -> Any:
    """Return the module; its usage statistics are off, whatever the environment says."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations

    return great_expectations
