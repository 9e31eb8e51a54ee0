"""The graph of the stages is one: what Python knows is what SQL, Pub/Sub's filters and the DAGs say."""

import ast
import re
from typing import get_args

from cli.packaging import FUNCTIONS
from cli.replay.command import Stage
from functions.ingest import arrival
from functions.validate import publish
from stockflow.schema import pipeline
from stockflow.settings import bundle_root
from stockflow.stages import ANNOUNCED, PASSED, STAGES, stage_before


def test_the_sweep_knows_the_same_steps() -> None:
    """Each row of ``steps``: the stage before, the state with which it passes, the stage, the event that starts it."""
    text = (bundle_root() / "functions" / "ingest" / "sweep.sql").read_text(encoding="utf-8")
    block = text.partition("steps AS (")[2].partition(")\n")[0]
    steps = [tuple(re.findall(r"'([^']+)'", line)) for line in block.splitlines() if "'" in line]
    assert steps == [(stage_before(s), PASSED[stage_before(s)], s, ANNOUNCED[stage_before(s)]) for s in STAGES[1:]]


def test_each_stage_subscribes_to_the_event_of_the_one_before() -> None:
    subscriptions = pipeline()["subscriptions"]
    for stage in STAGES[1:]:
        assert f'attributes.event_type = "{ANNOUNCED[stage_before(stage)]}"' in subscriptions[stage]["filter"]


def test_commands_functions_and_dags_name_the_same_stages() -> None:
    dags = (bundle_root() / "composer" / "stockflow_composer" / "dags.py").read_text(encoding="utf-8")
    found = re.search(r"^STAGES = (.+)$", dags, re.MULTILINE)
    assert found and tuple(ast.literal_eval(found[1])) == get_args(Stage) == FUNCTIONS == STAGES


def test_functions_announce_the_events_that_the_next_stage_waits_for() -> None:
    assert arrival._EVENTS[PASSED["ingest"]] == ANNOUNCED["ingest"]
    assert publish._KINDS[PASSED["validate"]] == ANNOUNCED["validate"]
