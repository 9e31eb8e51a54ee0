"""Which environment a command speaks to: the stack of this folder, or a Google Cloud project."""

import os
from pathlib import Path

from cli.output import CommandError
from local.environment import state_folder, variables
from local.state import Stack, find_stack, running
from stockflow.documents import keep_by
from stockflow.services import Services


def stack() -> Stack:
    """Return the running stack of the state folder.

    Raises:
        CommandError: when none runs.
    """
    folder = state_folder()
    found = find_stack(folder)
    if found is None or not running(folder):
        raise CommandError(
            f"no stack is running in {folder}/: start one with `stockflow up`, or name --project for the cloud"
        )
    return found


def in_the_cloud() -> bool:
    """Whether --project named a Google Cloud project."""
    return "STOCKFLOW_CLI_PROJECT" in os.environ


def reachable() -> bool:
    """Whether there is an environment to ask: a project that was named, or a running stack."""
    return in_the_cloud() or running(state_folder())


def services() -> Services:
    """Return the services of the project that --project named, else of the running stack."""
    if in_the_cloud():
        os.environ["GOOGLE_CLOUD_PROJECT"] = os.environ["STOCKFLOW_CLI_PROJECT"]
    else:
        os.environ.update(variables(stack()))
    remember()
    return Services.from_env()


def remember() -> None:
    """Keep what is found in definitions and YAML for the commands after this one, where there is a state folder."""
    from functions.kpi.cached import keep_in, kept

    there = state_folder().is_dir()
    keep_in(state_folder() / "cache" if there else None)
    keep_by(kept if there else None)


def folder() -> Path:
    """Return the state folder."""
    return state_folder()
