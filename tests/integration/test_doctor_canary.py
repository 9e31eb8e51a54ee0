"""doctor on a whole running stack: it is healthy, and a canary goes all the way and changes nothing."""

import json
import subprocess
import sys
from typing import Any

import pytest

from cli.doctor import canary
from local.state import FUNCTIONS
from stockflow.waiting import wait_until
from tests.support.stack import FullStack

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def doctor(stack: FullStack, *options: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "cli.main", "doctor", "--json", *options]
    done = subprocess.run(command, env=stack.env, capture_output=True, text=True, check=False, timeout=400)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_canary_goes_all_the_way_on_one_trace(full_stack: FullStack) -> None:
    """Given a running stack, the canary is refreshed; the four functions' lines about it share load and trace."""
    code, answer = doctor(full_stack, "--canary")
    assert (code, [f for f in answer["findings"] if not f["ok"]]) == (0, [])
    load = answer["findings"][-1]["check"].removeprefix("canary ")
    # A stage says its line once its record is kept, so who follows the records can be there first.
    assert wait_until(lambda: all(traces_by_stage(full_stack, load).values()), 60)
    traces = traces_by_stage(full_stack, load)
    assert all(len(found) == 1 for found in traces.values()), traces
    assert len(set.union(*traces.values())) == 1


def traces_by_stage(stack: FullStack, load: str) -> dict[str, set[str]]:
    return {stage: traces_of(stack, stage, load) for stage in FUNCTIONS}


def traces_of(stack: FullStack, stage: str, load: str) -> set[str]:
    """The traces of a function's lines about one load."""
    lines = (stack.stack.folder / "logs" / f"{stage}.log").read_text().splitlines()
    whole = [line for line in lines if line.endswith("}")]  # the last one may still be being written
    entries = [json.loads(line[line.index("{") :]) for line in whole if f'"load_id": "{load}"' in line]
    return {e["logging.googleapis.com/trace"] for e in entries}


def test_a_canary_changes_nothing_that_people_read(full_stack: FullStack) -> None:
    """Given two canaries, one row of a test currency on one old day is all that there is of them."""
    assert doctor(full_stack, "--canary")[0] == 0
    sql = """
    SELECT CAST(business_date AS STRING) AS day, currency FROM inventory_curated.exchange_rates WHERE currency = 'XTS'
    """
    assert full_stack.services.warehouse.query(sql) == [{"day": "2000-01-01", "currency": "XTS"}]
    assert canary.OBJECT in [ref.name for ref in full_stack.services.object_store.list(full_stack.stack.landing)]
