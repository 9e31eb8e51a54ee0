"""The provider refuses values that its schema takes: none of the root's, and each planted offence."""

from pathlib import Path
from typing import Any

import pytest

from tests.terraform.support import copy_root
from tests.terraform.validation import OFFENCES, refused


def test_the_provider_takes_what_is_planned(full_plan: dict[str, Any], applied: dict[str, Any]) -> None:
    """Given every switch on, and what is known after an apply, then no value breaks the provider's patterns."""
    assert refused(full_plan) + refused(applied) == []


@pytest.fixture(scope="session")
def offences(tmp_path_factory: pytest.TempPathFactory, provider: Path) -> list[str]:
    """What the provider would say of one plan with every offence in it."""
    root = copy_root(tmp_path_factory.mktemp("offences"), provider, list(OFFENCES.values()))
    return refused(root.plan("-var-file=environments/prod.tfvars"))


@pytest.mark.parametrize("offence", OFFENCES)
def test_a_planted_offence_is_refused(offence: str, offences: list[str]) -> None:
    """Given a value that the provider refuses, when the root is planned, then its attribute is named."""
    assert any(said.startswith(f"{offence}:") for said in offences), offences
