"""Which KPIs share a script. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from functions.kpi.runner import Job

SCRIPT_SECONDS = 60.0  # a script that takes longer holds up the end of a drain (see ``BUDGET_SECONDS``)


def shared_out(
    jobs: Iterable[Job], seconds: Mapping[str, float], behind: Mapping[str, int], side_by_side: int
) -> list[list[Job]]:
    """Share jobs out among so many scripts, more where one would take long.

    ``seconds``: KPI -> its last run; ``behind``: KPI -> how long a chain of others waits for it: its script is joined
    last. One job is one query for BigQuery, however many statements it has: few scripts cost less.
    """
    shares: list[_Share] = []
    for job in sorted(jobs, key=lambda j: (-behind[j.definition.name], -seconds.get(j.definition.name, 0.0))):
        took = seconds.get(job.definition.name, 0.0)
        least = min(shares, key=lambda share: (share.behind, share.took, len(share.jobs)), default=None)
        if least is None or len(shares) < side_by_side or least.took + took > SCRIPT_SECONDS:
            shares.append(_Share(behind[job.definition.name], took, [job]))
        else:
            least.took += took
            least.jobs.append(job)
    return [share.jobs for share in shares]


@dataclass
class _Share:
    """The jobs of one script, how long they take, and how long a chain of KPIs waits for its first one."""

    behind: int
    took: float
    jobs: list[Job]
