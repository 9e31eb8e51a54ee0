"""The stages that a load passes: their order, the state that lets it on, and the event that says so.

The only place in Python. SQL and `pipeline.yaml` have their own words for it, and a test compares them.
"""

STAGES = ("ingest", "validate", "transform", "kpi")
# The state of a stage with which a load goes on, and the event that is published then: it starts the next stage.
PASSED = {"ingest": "loaded", "validate": "validated", "transform": "transformed", "kpi": "refreshed"}
ANNOUNCED = {
    "ingest": "load.ingested", "validate": "load.validated", "transform": "load.transformed", "kpi": "kpi.refreshed",
}  # fmt: skip


def stage_before(stage: str) -> str:
    """Return the stage whose result a stage works on; of the first one: itself."""
    return STAGES[max(STAGES.index(stage) - 1, 0)]
