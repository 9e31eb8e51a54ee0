"""Which KPIs rest: computed so short a time ago that a later drain computes them, once for all that came until then."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from functions.kpi.state import State
from stockflow.services import Services


def resting(state: State, services: Services) -> Mapping[str, datetime]:
    """Return KPI -> when it is due, of those that are not due yet (``kpi_interval_seconds`` in ``pipeline.yaml``)."""
    seconds: dict[str, float] = json.loads(services.settings.kpi_interval_seconds)
    ends = {
        name: computed_at + timedelta(seconds=seconds[name])
        for name, computed_at in state.computed_at.items()
        if name in seconds
    }
    now = services.clock()
    return {name: end for name, end in ends.items() if end > now}
