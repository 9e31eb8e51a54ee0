"""What must hold in every plan. Each policy returns the sentences that say what breaks it."""

import re
from collections.abc import Callable
from typing import Any

from tests.terraform.support import expressions, resources

Plan = dict[str, Any]
_TOO_MUCH = re.compile(r"roles/(owner|editor|viewer)$|[.]admin$|Admin$")
_PUBLIC = {"allUsers", "allAuthenticatedUsers"}


def _grants(plan: Plan) -> dict[str, dict[str, Any]]:
    return {a: v for a, v in resources(plan).items() if "role" in v and ("member" in v or "members" in v)}


def roles_are_narrow(plan: Plan) -> list[str]:
    """No basic role and no admin role for anybody."""
    return [f"{a} grants {v['role']}" for a, v in _grants(plan).items() if _TOO_MUCH.search(v["role"] or "")]


def nobody_is_public(plan: Plan) -> list[str]:
    """Nothing is granted to everybody."""
    return [f"{a} grants to {v.get('member')}" for a, v in _grants(plan).items() if v.get("member") in _PUBLIC]


def functions_have_no_project_data_roles(plan: Plan) -> list[str]:
    """At project level a function may only run jobs and tell lineage; data is granted where the data is."""
    grants = resources(plan, "google_project_iam_member")
    allowed = {"roles/bigquery.jobUser", "roles/dataflow.developer", "roles/datalineage.producer"}
    names = ("stockflow-ingest@", "stockflow-validate@", "stockflow-transform@", "stockflow-kpi@")
    mine = {a: v for a, v in grants.items() if any(n in (v.get("member") or "") for n in names)}
    return [f"{a} grants {v['role']} on the project" for a, v in mine.items() if v["role"] not in allowed]


def buckets_are_private(plan: Plan) -> list[str]:
    """Uniform access, public access prevention."""
    return [
        f"{a} is not private"
        for a, v in resources(plan, "google_storage_bucket").items()
        if v["public_access_prevention"] != "enforced" or not v["uniform_bucket_level_access"]
    ]


def functions_are_internal(plan: Plan) -> list[str]:
    """Only Pub/Sub in the same project reaches a function."""
    return [
        f"{a} has ingress {v['service_config'][0]['ingress_settings']}"
        for a, v in resources(plan, "google_cloudfunctions2_function").items()
        if v["service_config"][0]["ingress_settings"] != "ALLOW_INTERNAL_ONLY"
    ]


def _push(plan: Plan) -> dict[str, dict[str, Any]]:
    return {a: v for a, v in resources(plan, "google_pubsub_subscription").items() if v["push_config"]}


def pushes_have_dead_letters_with_a_reader(plan: Plan) -> list[str]:
    """Each push subscription has a dead-letter policy, and its topic a subscription."""
    dead = {v["name"] for v in resources(plan, "google_pubsub_subscription").values() if not v["push_config"]}
    without = [f"{a} has no dead letters" for a, v in _push(plan).items() if not v["dead_letter_policy"]]
    unread = [
        f"{v['name']}-dead has no subscriber" for v in _push(plan).values() if f"{v['name']}-dead-letters" not in dead
    ]
    return without + unread


def subscriptions_retain_a_month(plan: Plan) -> list[str]:
    """Every subscription keeps messages 31 days, acknowledged ones too, and never expires."""
    broken = []
    for address, v in resources(plan, "google_pubsub_subscription").items():
        seconds = int((v["message_retention_duration"] or "0s").rstrip("s"))
        if seconds < 31 * 86400 or not v["retain_acked_messages"]:
            broken.append(f"{address} keeps {seconds} s, acknowledged: {v['retain_acked_messages']}")
        if [e["ttl"] for e in v["expiration_policy"]] != [""]:
            broken.append(f"{address} expires")
    return broken


def acknowledgement_outlasts_the_function(plan: Plan) -> list[str]:
    """A function that works to its time-out must still be able to acknowledge."""
    slowest = max(
        v["service_config"][0]["timeout_seconds"] for v in resources(plan, "google_cloudfunctions2_function").values()
    )
    return [
        f"{a}: {v['ack_deadline_seconds']} s are fewer than the function's {slowest} s"
        for a, v in _push(plan).items()
        if v["ack_deadline_seconds"] < slowest
    ]


def audience_is_the_function(plan: Plan) -> list[str]:
    """The token's audience and the endpoint are one and the same expression: the function's URL."""
    unsigned = [f"{a} pushes without a token" for a, v in _push(plan).items() if not v["push_config"][0]["oidc_token"]]
    push = expressions(plan, "google_pubsub_subscription.push")["push_config"][0]
    endpoint, audience = push["push_endpoint"], push["oidc_token"][0]["audience"]
    if "google_cloudfunctions2_function.this" not in endpoint.get("references", []):
        unsigned.append("a push goes elsewhere than to a function")
    return unsigned + ([] if audience == endpoint else ["a push has another audience than its endpoint"])


def data_is_protected(plan: Plan) -> list[str]:
    """Tables with rows of their own cannot be destroyed by accident."""
    return [
        f"{a} is not protected"
        for a, v in resources(plan, "google_bigquery_table").items()
        if not v["view"] and not v["deletion_protection"]
    ]


def all_is_labelled(plan: Plan) -> list[str]:
    """Whatever takes labels carries app and environment."""
    return [
        f"{a} is not labelled"
        for a, v in resources(plan).items()
        if isinstance(v.get("effective_labels"), dict) and not {"app", "environment"} <= set(v["effective_labels"])
    ]


POLICIES: tuple[Callable[[Plan], list[str]], ...] = (
    roles_are_narrow,
    nobody_is_public,
    functions_have_no_project_data_roles,
    buckets_are_private,
    functions_are_internal,
    pushes_have_dead_letters_with_a_reader,
    subscriptions_retain_a_month,
    acknowledgement_outlasts_the_function,
    audience_is_the_function,
    data_is_protected,
    all_is_labelled,
)


def broken(plan: Plan) -> dict[str, list[str]]:
    """Return policy name -> what breaks it, for the policies that do not hold."""
    found = {policy.__name__: policy(plan) for policy in POLICIES}
    return {name: sentences for name, sentences in found.items() if sentences}
