"""The rig of real processes is an environment of its own, whatever ran before it in the same session."""

import os

import pytest

from stockflow.settings import Settings
from tests.chaos.rig import own_environment

pytestmark = pytest.mark.chaos


def test_the_prefixes_of_another_environment_are_hidden_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """With them, subscriptions were made as ``t123-ingest``, and looked for as ``ingest``."""
    monkeypatch.setenv("STOCKFLOW_TOPIC_PREFIX", "t123-")
    monkeypatch.setenv("STOCKFLOW_DATASET_PREFIX", "t123_")
    with own_environment({"STOCKFLOW_MAX_ATTEMPTS": "3", "GOOGLE_CLOUD_PROJECT": "p"}):
        settings = Settings.from_env()
    assert (settings.topic_prefix, settings.dataset_prefix, settings.max_attempts) == ("", "", 3)
    assert os.environ["STOCKFLOW_TOPIC_PREFIX"] == "t123-"
    assert "STOCKFLOW_MAX_ATTEMPTS" not in os.environ
