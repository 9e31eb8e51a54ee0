"""Retention that contradicts itself, planted where it is written: Terraform and the commands must refuse it."""

from pathlib import Path

# file -> (what stands there, what contradicts itself)
PLANTED: dict[str, list[tuple[str, str]]] = {
    "pipeline.yaml": [
        (
            "definitions: 0, raw: 0, curated: 0, quarantine: 0, rejects: 0, ledger: 0",
            "definitions: 90, raw: 300, curated: 1200, quarantine: 50, rejects: 7, ledger: 40",
        )
    ],
    "contracts/sales.yaml": [
        ("customProperties:\n", "customProperties:\n  - {property: keepCuratedDays, value: 400}\n"),
    ],
    "contracts/products.yaml": [
        ("customProperties:\n", "customProperties:\n  - {property: keepCuratedDays, value: 900}\n"
                                "  - {property: keepRawDays, value: 7}\n"),
    ],
    "contracts/suppliers.yaml": [
        ("customProperties:\n", "customProperties:\n  - {property: keepFilesDays, value: 500}\n"),
    ],
    "contracts/locations.yaml": [
        ("customProperties:\n", "customProperties:\n  - {property: keepRawDays, value: 45}\n"
                                "  - {property: keepFilesDays, value: a month}\n"),
    ],
}  # fmt: skip

REFUSED = {
    # too short for what needs it
    "pipeline.yaml: rejects is kept 7 days; expected at least 31 (or 0): for so long events are delivered again",
    "contracts/products.yaml: keepRawDays is 7 days; expected at least 31: for so long events are delivered again",
    "pipeline.yaml: definitions is kept 90 days; expected 0: a KPI without its definition is not computed any more",
    "contracts/sales.yaml: sales is kept 400 days in curated, the KPI balance_daily looks back 400 days at it; "
    "expected more than 400 (or 0), or a shorter look-back",
    "pipeline.yaml: stock_movements is kept 1200 days in curated, the KPI inventory_ageing looks back 3650 days at it; "
    "expected more than 3650 (or 0), or a shorter look-back",
    # what is needed for something ends before it
    "pipeline.yaml: landing is kept 400 days, raw only 300 days; expected raw at least as long (or 0)",
    "pipeline.yaml: raw is kept 300 days, quarantine only 50 days; expected quarantine at least as long (or 0)",
    "pipeline.yaml: raw is kept 300 days, rejects only 7 days; expected rejects at least as long (or 0)",
    "pipeline.yaml: staging is kept 60 days, quarantine only 50 days; expected quarantine at least as long (or 0)",
    "pipeline.yaml: staging is kept 60 days, rejects only 7 days; expected rejects at least as long (or 0)",
    "pipeline.yaml: quarantine is kept 50 days, ledger only 40 days; expected ledger at least as long (or 0)",
    "pipeline.yaml: landing is kept 400 days, ledger only 40 days; expected ledger at least as long (or 0)",
    "contracts/products.yaml: landing is kept 400 days, raw only 7 days; expected raw at least as long",
    "contracts/products.yaml: staging is kept 60 days, raw only 7 days; expected raw at least as long",
    "contracts/locations.yaml: landing is kept 400 days, raw only 45 days; expected raw at least as long",
    "contracts/locations.yaml: staging is kept 60 days, raw only 45 days; expected raw at least as long",
    "contracts/suppliers.yaml: landing is kept 400 days, raw only 300 days; expected raw at least as long",
    "contracts/locations.yaml: raw is kept 45 days, rejects only 7 days; expected rejects at least as long (or 0)",
    # what has no effect
    "contracts/products.yaml: keepCuratedDays has no effect: a dimension has no days that end",
    "contracts/suppliers.yaml: keepFilesDays is 500 days, all of landing ends after 400; expected at most 400",
    "contracts/locations.yaml: keepFilesDays is 'a month'; expected a whole number of days",
}


def plant(root: Path) -> None:
    """Write the contradictions into a copy of the project."""
    for name, changes in PLANTED.items():
        path = root / name
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, f"{name} no longer holds {old!r}: the planted contradiction needs a new place"
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")
