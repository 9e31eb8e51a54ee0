"""Settings: each one has its variable, a meaning and a default that fits the project."""

from dataclasses import fields
from pathlib import Path

import pytest

from stockflow.settings import Settings, bundle_root


def test_each_setting_names_its_variable_and_says_what_it_decides() -> None:
    """So that docs/configuration.md is complete, and no variable sets two things."""
    variables = [f.metadata["variable"] for f in fields(Settings)]
    assert len(set(variables)) == len(variables)
    assert [f.name for f in fields(Settings) if not f.metadata["meaning"].endswith(".")] == []


def test_the_project_alone_is_enough() -> None:
    """Everything else is derived from it, or from where the code lies."""
    settings = Settings.from_env({"GOOGLE_CLOUD_PROJECT": "shop"})
    assert (settings.landing_bucket, settings.staging_bucket) == ("shop-landing", "shop-staging")
    assert settings.contracts_dir == bundle_root() / "contracts"
    assert (settings.max_attempts, settings.bigquery_endpoint) == (10, None)


def test_a_variable_overrides_the_default() -> None:
    """Texts, numbers and folders, each as its own type."""
    env = {"GOOGLE_CLOUD_PROJECT": "shop", "STOCKFLOW_LANDING_BUCKET": "inbox", "STOCKFLOW_MAX_ATTEMPTS": "3",
           "STOCKFLOW_CONTRACTS_DIR": "/c"}  # fmt: skip
    settings = Settings.from_env(env)
    assert (settings.landing_bucket, settings.max_attempts, settings.contracts_dir) == ("inbox", 3, Path("/c"))


def test_a_number_that_is_none_is_named_with_its_variable() -> None:
    """The message says which variable, what it holds and what was expected."""
    with pytest.raises(ValueError, match="STOCKFLOW_MAX_ATTEMPTS is 'ten': expected a whole number"):
        Settings.from_env({"GOOGLE_CLOUD_PROJECT": "shop", "STOCKFLOW_MAX_ATTEMPTS": "ten"})


def test_without_a_project_it_says_so() -> None:
    """The one variable that has no default."""
    with pytest.raises(KeyError, match="GOOGLE_CLOUD_PROJECT"):
        Settings.from_env({})
