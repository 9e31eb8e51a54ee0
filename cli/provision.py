"""Buckets, topics, subscriptions, datasets, tables, views and routines, from the files Terraform reads too."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from google.api_core import exceptions as api
from google.cloud import bigquery, pubsub_v1

from stockflow import schema
from stockflow.identity import digest
from stockflow.services import Services
from stockflow.settings import Settings, bundle_root


def buckets(services: Services) -> None:
    """Create the buckets."""
    for bucket in schema.pipeline()["buckets"].values():
        services.object_store.ensure_bucket(
            f"{services.settings.project}-{bucket['suffix']}", services.settings.location
        )


def definitions(services: Services) -> None:
    """Bring the project's KPI definitions to their bucket, as the build does: those that changed since the last time.

    What was published there by hand stays until its file in the project changes.
    """
    uri, folder = services.settings.definitions_uri, bundle_root() / "functions" / "kpi" / "definitions"
    if not uri.startswith("gs://"):
        return
    bucket, _, prefix = uri.removeprefix("gs://").partition("/")
    store, note = services.object_store, "brought.json"
    try:
        before: dict[str, str] = json.loads(store.read(bucket, note))
    except FileNotFoundError:
        before = {}
    texts = {p.name: p.read_text(encoding="utf-8") for p in folder.glob("*.sql")}
    now = {name: digest(text) for name, text in texts.items()}
    for name in [n for n in now if before.get(n) != now[n]]:
        store.write(bucket, f"{prefix}/{name}", texts[name].encode(), "text/plain")
    for name in before.keys() - now.keys():
        store.delete(bucket, f"{prefix}/{name}")
    if before != now:
        store.write(bucket, note, json.dumps(now).encode(), "application/json")


# -- Pub/Sub


def topics(settings: Settings) -> None:
    """Create the topics and, for each subscription, its dead-letter topic with a subscription."""
    pipeline = schema.pipeline()
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    defaults = pipeline["subscription_defaults"]
    for name, topic in pipeline["topics"].items():
        _topic(publisher, settings.topic(name), topic["retention_days"])
    for name in pipeline["subscriptions"]:
        dead = settings.topic(f"{name}{defaults['dead_letter_topic_suffix']}")
        _topic(publisher, dead, defaults["retention_days"])
        request = {
            "name": _subscription(settings, f"{name}{defaults['dead_letter_subscription_suffix']}"),
            "topic": dead,
            "ack_deadline_seconds": 60,
            "message_retention_duration": _days(defaults["retention_days"]),
            "retain_acked_messages": True,
        }
        with suppress(api.AlreadyExists):
            subscriber.create_subscription(request=request)


def subscriptions(settings: Settings, endpoints: Mapping[str, str]) -> None:
    """Create the push subscriptions, or point those of an earlier run at the functions' present endpoints."""
    subscriber = pubsub_v1.SubscriberClient()
    for name, sub in schema.pipeline()["subscriptions"].items():
        request = subscription_request(settings, name, sub, endpoints[sub["function"]])
        try:
            subscriber.create_subscription(request=request)
        except api.AlreadyExists:
            _bring_up_to_date(subscriber, request)


def _bring_up_to_date(subscriber: pubsub_v1.SubscriberClient, request: Mapping[str, Any]) -> None:
    """Give a subscription its present endpoint; one of another filter is made anew, and the sweep finds what it held.

    A filter cannot be changed: https://cloud.google.com/pubsub/docs/subscription-message-filter
    """
    held = subscriber.get_subscription(subscription=request["name"])
    if held.filter == request["filter"]:
        push = {"subscription": request["name"], "push_config": request["push_config"]}
        subscriber.modify_push_config(request=push)
        return
    subscriber.delete_subscription(subscription=request["name"])
    subscriber.create_subscription(request=request)


def subscription_request(settings: Settings, name: str, sub: Mapping[str, Any], endpoint: str) -> dict[str, Any]:
    """Return a push subscription as ``pipeline.yaml`` describes it."""
    defaults = schema.pipeline()["subscription_defaults"]
    retry = defaults["retry"]
    path = settings.topic(sub["topic"])
    return {
        "name": _subscription(settings, name),
        "topic": path,
        "filter": sub["filter"],
        "ack_deadline_seconds": defaults["ack_deadline_seconds"],
        "message_retention_duration": _days(defaults["retention_days"]),
        "retain_acked_messages": defaults["retain_acked_messages"],
        # The path names the topic: functions-framework makes it the event's source.
        "push_config": {"push_endpoint": f"{endpoint}/{path}"},
        "retry_policy": {
            "minimum_backoff": {"seconds": retry["minimum_backoff_seconds"]},
            "maximum_backoff": {"seconds": retry["maximum_backoff_seconds"]},
        },
        "dead_letter_policy": {
            "dead_letter_topic": settings.topic(f"{name}{defaults['dead_letter_topic_suffix']}"),
            "max_delivery_attempts": defaults["max_delivery_attempts"],
        },
    }


def _topic(publisher: pubsub_v1.PublisherClient, name: str, days: int) -> None:
    with suppress(api.AlreadyExists):
        publisher.create_topic(request={"name": name, "message_retention_duration": _days(days)})


def _subscription(settings: Settings, name: str) -> str:
    return f"projects/{settings.project}/subscriptions/{settings.topic_prefix}{name}"


def _days(days: int) -> dict[str, int]:
    return {"seconds": days * 86_400}


# -- BigQuery


def fingerprint(services: Services) -> str:
    """Return the hash of everything that decides what ``warehouse`` creates."""
    root = bundle_root()
    files = [root / "pipeline.yaml", Path(schema.__file__), Path(__file__)]
    files += [p for folder in ("warehouse", "contracts") for p in sorted((root / folder).rglob("*")) if p.is_file()]
    contracts = sorted(services.settings.contracts_dir.glob("*.yaml"))
    return digest(*(p.read_text(encoding="utf-8") for p in [*files, *contracts]))


def warehouse(services: Services) -> None:
    """Create datasets, tables, routines and views."""
    datasets(services)
    tables(services)
    routines(services)
    views(services)


def datasets(services: Services) -> None:
    """Create the datasets."""
    for layer in schema.pipeline()["datasets"]:
        dataset = bigquery.Dataset(f"{services.settings.project}.{services.settings.dataset(layer)}")
        services.warehouse.client.create_dataset(dataset, exists_ok=True)


def tables(services: Services) -> None:
    """Create the tables of the ledger and of each feed, in one script; add columns that are new to those that exist."""
    wanted = schema.schemas(services.contracts)
    existed = _holds_tables(services)
    services.warehouse.query("\n".join(_create_table(name, columns) for name, columns in wanted.items()))
    if existed and (added := _added_columns(wanted, services)):
        services.warehouse.query(";\n".join(added))


def _holds_tables(services: Services) -> bool:
    """Return whether an earlier run made the ledger: what begins from nothing lacks no column."""
    found = services.warehouse.query("SELECT COUNT(*) AS n FROM inventory_ops.INFORMATION_SCHEMA.TABLES")
    return bool(found[0]["n"])


def _added_columns(wanted: Mapping[str, list[schema.Field]], services: Services) -> list[str]:
    """Return a statement for each column that a table of an earlier release lacks; it is NULL in the rows there."""
    datasets = sorted({name.partition(".")[0] for name in wanted})
    # By number: the name of a dataset in a statement gets the environment's prefix, also in a text.
    parts = [
        f"SELECT {number} AS dataset, table_name, column_name FROM {name}.INFORMATION_SCHEMA.COLUMNS"
        for number, name in enumerate(datasets)
    ]
    rows = services.warehouse.query("\nUNION ALL\n".join(parts))
    there = {(f"{datasets[r['dataset']]}.{r['table_name']}", r["column_name"]) for r in rows}
    return [
        f"ALTER TABLE {name} ADD COLUMN IF NOT EXISTS `{column['name']}` {column['type']}"
        for name, columns in wanted.items()
        for column in columns
        if (name, column["name"]) not in there
    ]


def _create_table(name: str, columns: list[schema.Field]) -> str:
    fields = ", ".join(f"`{c['name']}` {c['type']}" for c in columns)
    return f"CREATE TABLE IF NOT EXISTS {name} ({fields});"


def routines(services: Services) -> None:
    """Create the SQL functions, those that others call first."""
    files = sorted((bundle_root() / "warehouse" / "routines").glob("*/*.sql"))
    texts = {f"{p.parent.name}.{p.stem}": p.read_text(encoding="utf-8").rstrip().rstrip(";") for p in files}
    _run_in_order(services, texts)


def views(services: Services) -> None:
    """Create the views, except the reporting ones (see ``reporting``)."""
    found = {name: sql for name, sql in _view_files().items() if not name.startswith("inventory_reporting.")}
    found |= {f"inventory_raw.{f}_accepted": schema.accepted_view(c) for f, c in services.contracts.items()}
    _run_in_order(services, {n: f"CREATE OR REPLACE VIEW {n} AS\n{sql}" for n, sql in found.items()})


def reporting(services: Services) -> None:
    """Create each KPI's empty table, as Terraform does, and the reporting views on them, in one script."""
    kpis = json.loads((bundle_root() / "warehouse" / "kpi_tables.json").read_text(encoding="utf-8"))
    made = {f"inventory_kpi.{k}": _create_table(f"inventory_kpi.{k}", t["schema"]).rstrip(";") for k, t in kpis.items()}
    found = {name: sql for name, sql in _view_files().items() if name.startswith("inventory_reporting.")}
    _run_in_order(services, made | {n: f"CREATE OR REPLACE VIEW {n} AS\n{sql}" for n, sql in found.items()})


def _view_files() -> dict[str, str]:
    folder = bundle_root() / "warehouse" / "views"
    return {f"{p.parent.name}.{p.stem}": p.read_text(encoding="utf-8") for p in folder.glob("*/*.sql")}


def _run_in_order(services: Services, statements: dict[str, str]) -> None:
    """Run statements in one script, each after those whose names its text holds."""
    reads = {
        name: {other for other in statements if other != name and re.search(rf"\b{re.escape(other)}\b", text)}
        for name, text in statements.items()
    }
    ordered = TopologicalSorter(reads).static_order()
    services.warehouse.query(";\n".join(statements[name] for name in ordered))
