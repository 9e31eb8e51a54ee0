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
    "data_is_protected": (
        "terraform/environments/prod.tfvars",
        'environment         = "prod"',
        'environment = "prod"\ndeletion_protection = false',
    ),
}


@pytest.mark.parametrize("policy", MISTAKES)
def test_a_planted_mistake_is_caught(policy: str, tmp_path: Path, provider: Path) -> None:
    """Given one careless edit, when the plan is made, then just that policy names it."""
    name, old, new = MISTAKES[policy]
    root = copy_root(tmp_path, provider, {name: (old, new)})
    assert list(policies.broken(root.plan("-var-file=environments/prod.tfvars"))) == [policy]
