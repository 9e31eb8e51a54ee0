"""How long a feed's files are kept is said by its contract; nothing shortens it for another feed."""

from pathlib import Path
from typing import Any

import pytest

from tests.terraform.support import Root, copy_root, resources


@pytest.fixture(scope="module")
def shortened(tmp_path_factory: pytest.TempPathFactory, provider: Path) -> dict[str, Any]:
    """The plan of a project whose suppliers' files are kept for 90 days."""
    contract = "contracts/suppliers.yaml"
    kept = "customProperties:\n  - {property: keepFilesDays, value: 90}\n"
    root: Root = copy_root(tmp_path_factory.mktemp("kept"), provider, [(contract, "customProperties:\n", kept)])
    return root.plan("-var-file=environments/prod.tfvars")


def deleted(plan: dict[str, Any], bucket: str) -> dict[tuple[str, ...], int]:
    """Return prefixes -> age in days after which objects of a bucket are deleted."""
    rules = resources(plan)[f'google_storage_bucket.this["{bucket}"]']["lifecycle_rule"]
    conditions = [r["condition"][0] for r in rules if r["action"][0]["type"] == "Delete"]
    return {tuple(c.get("matches_prefix") or ()): c["age"] for c in conditions if c.get("age")}


def test_the_files_of_a_feed_are_deleted_when_its_contract_says(shortened: dict[str, Any]) -> None:
    """The files as they came, their old generations, the staged copies, and the refused rows in the receipts."""
    assert deleted(shortened, "landing") == {(): 400, ("suppliers/",): 90}
    assert deleted(shortened, "staging") == {(): 60, ("ingest/suppliers/", "receipts/suppliers/"): 90}


def test_without_a_word_the_buckets_rule_stands(plan: dict[str, Any]) -> None:
    assert deleted(plan, "landing") == {(): 400} and deleted(plan, "staging") == {(): 60}
