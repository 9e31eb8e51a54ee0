"""A link that opens a Looker Studio report on this environment's reporting views. Pure.

Parameters: https://developers.google.com/looker-studio/integrate/linking-api
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import yaml

from cli.dashboard.labels import view_title
from stockflow.settings import Settings, bundle_root

CREATE = "https://lookerstudio.google.com/reporting/create"
LAYER = "reporting"


@dataclass(frozen=True)
class View:
    """A reporting view with its columns, and what it is called as a data source."""

    name: str
    title: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What to open: a copy of ``template`` (a report's id), or an empty report when there is none."""

    name: str
    template: str = ""
    page: str = ""
    mode: str = "edit"
    billing_project: str = ""


def subjects() -> list[View]:
    """Return the project's own reporting views, in the order of ``warehouse/reporting.yaml``; in the reader's words."""
    text = (bundle_root() / "warehouse" / "reporting.yaml").read_text(encoding="utf-8")
    views = yaml.safe_load(text)["views"]
    return [View(name, view_title(name, view["title"]), tuple(view["columns"])) for name, view in views.items()]


def alias(number: int) -> str:
    """Return what Looker Studio calls the n-th data source of a report, from 0 on."""
    return f"ds{number}"


def link(report: Report, views: Iterable[View], settings: Settings) -> str:
    """Return the address that opens the report, each view a data source of its own."""
    parameters = {"c.reportId": report.template, "c.pageId": report.page, "c.mode": report.mode}
    parameters |= {"r.reportName": report.name}
    for number, view in enumerate(views):
        source = f"ds.{alias(number)}"
        parameters |= {
            f"{source}.connector": "bigQuery",
            f"{source}.datasourceName": view.title,
            f"{source}.type": "TABLE",
            f"{source}.projectId": settings.project,
            f"{source}.datasetId": settings.dataset(LAYER),
            f"{source}.tableId": view.name,
            f"{source}.billingProjectId": report.billing_project,
        }
    given = {name: value for name, value in parameters.items() if value}
    return f"{CREATE}?{urlencode(given, quote_via=quote)}"
