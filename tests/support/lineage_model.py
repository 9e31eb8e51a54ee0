"""The lineage of the project, read once a process: it takes seconds."""

from functools import cache

from cli.kpi.workspace import open_workspace, project_folder
from cli.lineage.model import Model, build


@cache
def project_model() -> Model:
    """Return the model of this checkout."""
    return build(open_workspace([], project_folder()))
