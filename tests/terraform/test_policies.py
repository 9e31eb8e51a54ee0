"""Policies hold for production and for everything switched on; planted mistakes are caught."""

from pathlib import Path
from typing import Any

import pytest

from tests.terraform import policies
from tests.terraform.support import copy_root


@pytest.mark.parametrize("policy", policies.POLICIES, ids=lambda p: p.__name__)
def test_the_policy_holds_in_production(plan: dict[str, Any], policy: Any) -> None:
    """Nothing in the plan of prod.tfvars breaks it."""
    assert policy(plan) == []


@pytest.mark.parametrize("policy", policies.POLICIES, ids=lambda p: p.__name__)
def test_the_policy_holds_with_every_switch_on(full_plan: dict[str, Any], policy: Any) -> None:
    """Nothing in the plan with all optional parts breaks it."""
    assert policy(full_plan) == []


# policy -> (file, what stands there, what a careless person writes instead)
MISTAKES = {
    "roles_are_narrow": ("terraform/iam.tf", "roles/storage.objectViewer", "roles/storage.admin"),
    "nobody_is_public": (
        "terraform/iam.tf",
        "member   = google_service_account.pusher.member",
        'member   = "allUsers"',
    ),
    "functions_have_no_project_data_roles": (
        "terraform/iam.tf",
        "roles/bigquery.jobUser",
        "roles/bigquery.dataViewer",
    ),
    "buckets_are_private": ("terraform/landing.tf", '"enforced"', '"inherited"'),
    "functions_are_internal": ("terraform/functions.tf", "ALLOW_INTERNAL_ONLY", "ALLOW_ALL"),
    "subscriptions_retain_a_month": (
        "pipeline.yaml",
        "  retention_days: 31\n  retain",
        "  retention_days: 7\n  retain",
    ),
    "acknowledgement_outlasts_the_function": (
        "pipeline.yaml",
        "ack_deadline_seconds: 600",
        "ack_deadline_seconds: 60",
    ),
    "pushes_have_dead_letters_with_a_reader": (
        "terraform/events.tf",
        """  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead["${each.key}${local.defaults.dead_letter_topic_suffix}"].id
    max_delivery_attempts = local.defaults.max_delivery_attempts
  }
""",
        "",
    ),
    "audience_is_the_function": (
        "terraform/events.tf",
        "audience              = google_cloudfunctions2_function.this[each.value.function].service_config[0].uri",
        'audience              = "https://example.com"',
    ),
    "all_is_labelled": ("terraform/versions.tf", "  default_labels = local.labels\n", ""),
    "data_is_protected": (
        "terraform/environments/prod.tfvars",
        'environment         = "prod"',
        'environment = "prod"\ndeletion_protection = false',
    ),
}


@pytest.fixture(scope="session")
def careless(tmp_path_factory: pytest.TempPathFactory, provider: Path) -> dict[str, list[str]]:
    """What the policies say of one plan with every planted mistake in it."""
    root = copy_root(tmp_path_factory.mktemp("careless"), provider, list(MISTAKES.values()))
    return policies.broken(root.plan("-var-file=environments/prod.tfvars"))


@pytest.mark.parametrize("policy", MISTAKES)
def test_a_planted_mistake_is_caught(policy: str, careless: dict[str, list[str]]) -> None:
    """Given one careless edit for each, when the plan is made, then each policy names what it is there for."""
    assert any(NAMED[policy] in sentence for sentence in careless[policy]), careless[policy]


def test_no_other_policy_complains(careless: dict[str, list[str]]) -> None:
    """A policy without a planted mistake stays quiet: none is broken by its neighbour's."""
    assert careless.keys() == MISTAKES.keys()


# policy -> what its sentence names
NAMED = {
    "roles_are_narrow": "roles/storage.admin",
    "nobody_is_public": "allUsers",
    "functions_have_no_project_data_roles": "roles/bigquery.dataViewer",
    "buckets_are_private": "google_storage_bucket.this",
    "functions_are_internal": "ALLOW_ALL",
    "subscriptions_retain_a_month": "604800 s",
    "acknowledgement_outlasts_the_function": "60 s are fewer",
    "pushes_have_dead_letters_with_a_reader": "has no dead letters",
    "audience_is_the_function": "another audience",
    "all_is_labelled": "is not labelled",
    "data_is_protected": "google_bigquery_table",
}
