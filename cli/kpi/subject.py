"""A definition, where it is read, and the environment that it is asked of."""

from collections.abc import Mapping
from dataclasses import dataclass

from cli.kpi.workspace import Workspace
from functions.kpi.columns import Columns
from functions.kpi.definition import Definition
from functions.kpi.refresh import dated_inputs
from stockflow.services import Services


@dataclass(frozen=True)
class Subject:
    """One definition, the workspace that it is read in, and the environment that it is asked of."""

    definition: Definition
    workspace: Workspace
    services: Services
    known: Mapping[str, Columns]

    @property
    def inputs(self) -> set[str]:
        """The dated tables that it reads."""
        return dated_inputs(self.workspace.reads[self.definition.name], self.workspace.contracts)
