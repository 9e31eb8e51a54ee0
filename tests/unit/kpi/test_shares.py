"""Which KPIs share a script."""

from datetime import date

from functions.kpi.dates import Span
from functions.kpi.definition import Definition
from functions.kpi.runner import Job
from functions.kpi.shares import SCRIPT_SECONDS, shared_out

DAY = date(2026, 5, 1)


def job(name: str) -> Job:
    definition = Definition(name, "SELECT 1", {}, "base", name, name, "someone", 0, ())
    return Job(definition, frozenset({DAY}), Span(DAY, DAY))


def test_slow_kpis_do_not_share_a_script() -> None:
    """Given five KPIs that took most of a minute and many quick ones, then no script is expected to take longer."""
    slow = {"slow0": 50.0, "slow1": 45.0, "slow2": 40.0, "slow3": 40.0, "slow4": 40.0}
    seconds = slow | {f"k{number}": 1.0 for number in range(9)}
    shares = shared_out([job(name) for name in seconds], seconds, dict.fromkeys(seconds, 0), 4)
    totals = [sum(seconds[j.definition.name] for j in share) for share in shares]
    assert max(totals) <= SCRIPT_SECONDS and len(shares) == 5
    assert sorted(j.definition.name for share in shares for j in share) == sorted(seconds)


def test_a_kpi_that_others_wait_for_shares_no_script_while_others_can() -> None:
    behind = {"base": 2, "next": 1} | {f"k{number}": 0 for number in range(9)}
    shares = shared_out([job(name) for name in behind], {}, behind, 4)
    assert [[j.definition.name for j in share] for share in shares[:2]] == [["base"], ["next"]]
    assert len(shares) == 4
