"""The scripts that code builds, each group built by the very functions that send it to BigQuery.

What a group builds is imported inside it: code that cannot be imported fails its own group, not all.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from cli.googlesql.project import kpi_tables
from stockflow.contracts import Contract
from stockflow.settings import bundle_root
from tests.bigquery.recorder import NOW, SANDBOX, RecordedServices, Statement, parameter_types

DAY = date(2026, 8, 31)
_HORIZON = {"horizon": "all", "first_day": DAY, "last_day": DAY}

PENDING = {
    "load_id": "a", "record_id": "r", "validate_state": "validated", "validated_at": NOW, "complete": True,
    "validated_rows": 1, "quarantined": 0, "refused_rows": 0,
    "run_id": "v", "raw_run_id": "i", "bucket": "landing", "object": "a_2026-08-31.csv", "generation": 1,
    "content_md5": None, "size_bytes": 1, "landed_at": NOW, "landed_on": DAY, "done_record": None,
    "done_state": None, "done_version": None, "done_input": None, "done_at": None, "done_rows": None,
    "done_detail": None, "failures": 0,
}  # fmt: skip


def drains() -> Iterator[Statement]:
    """The script of each feed, and what is asked before and after it."""
    from functions.transform.drain import drain
    from functions.transform.plan import Load
    from functions.transform.rows import differences
    from stockflow.ledger import Asked

    for feed in RecordedServices("").contracts:
        services = RecordedServices(f"drain of {feed}", {"AS failures": [PENDING]})
        drain(feed, frozenset({Asked("a", DAY, NOW)}), services)
        assert any("BEGIN TRANSACTION" in s.sql for s in services.statements), f"no script was built for {feed}"
        differences(feed, [Load(PENDING)], services)
        yield from services.statements


def retained() -> Iterator[Statement]:
    """What is deleted on a laptop when its time is over, and a drain beside feeds whose raw rows end."""
    from cli.retention.expire import expire
    from functions.transform.drain import drain
    from stockflow.ledger import Asked

    services = _Limited("retention", {"AS failures": [PENDING]})
    expire(services)
    drain("products", frozenset({Asked("a", DAY, NOW)}), services)
    assert sum("DELETE FROM" in s.sql for s in services.statements) >= 3
    assert any("INTERVAL 90 DAY" in s.sql for s in services.statements)
    yield from services.statements


class _Limited(RecordedServices):
    """Services of an environment whose sales end."""

    @property
    def contracts(self) -> dict[str, Contract]:  # type: ignore[override]
        found = super().contracts
        limits = {"keepRawDays": 90, "keepCuratedDays": 800}
        return found | {"sales": replace(found["sales"], properties={**found["sales"].properties, **limits})}


def kpis() -> Iterator[Statement]:
    """The scripts of each KPI: some dates of it, and the whole table anew."""
    from functions.kpi.catalog import load_definitions
    from functions.kpi.dates import Span
    from functions.kpi.graph import in_order, reads
    from functions.kpi.refresh import views_by_name
    from functions.kpi.runner import Computed, Job, compute, rebuild, record_runs

    span = Span(date(2026, 8, 1), DAY)
    definitions = load_definitions(RecordedServices("").settings.definitions_uri)
    read = reads(definitions, views_by_name())
    for definition in in_order(definitions, read):
        services = RecordedServices(f"kpi {definition.name}")
        dated = {t for t in read[definition.name] if t.startswith("inventory_kpi.")}
        facts = {f"inventory_curated.{f}" for f, c in services.contracts.items() if c.business_date}
        job = Job(definition, frozenset({DAY}), span, frozenset(dated | (facts & read[definition.name])))
        compute([job], services)
        compute([job, job], services)
        rebuild(job, services)
        record_runs([Computed(job, 1.5)], services)
        record_runs([Computed(job, 1.5)] * 2, services)
        yield from services.statements


def ledger() -> Iterator[Statement]:
    """What the stages ask the ledger."""
    from stockflow.ledger import Asked

    services = RecordedServices("ledger")
    for day in (DAY, None):
        services.ledger.latest([Asked("a", day)])
        services.ledger.details([Asked("a", day)], "transform")
        services.ledger.story(Asked("a", day), "validate")
        services.ledger.last(Asked("a", day), "ingest", "loaded", "1")
    services.ledger.uncomputed([DAY], NOW)
    yield from services.statements


def duplicates() -> Iterator[Statement]:
    """What ingest asks about other objects with the same content."""
    from functions.ingest.duplicates import find_neighbour
    from functions.ingest.restored import loaded_before
    from stockflow.events import ObjectRef

    services = RecordedServices("duplicates", {"SELECT DISTINCT content_md5": [{"content_md5": "m", "load_id": "b"}]})
    ref = ObjectRef("landing", "sales/a.csv", 1, 10, "m", NOW)
    find_neighbour(ref, "sales", "m", services)
    yield from services.statements
    before = {
        "load_id": "a", "feed": "sales", "stage": "ingest", "state": "loaded", "stage_version": "1", "rows": 1,
        "started_at": NOW, "finished_at": NOW, "raw_run_id": "r",
    }  # fmt: skip
    services = RecordedServices("restored", {"@version": [before], "COUNT": [{"n": 1}]})
    loaded_before(ref, "sales", "1", services)
    yield from services.statements


def orphans() -> Iterator[Statement]:
    """What the sweep removes from raw, and what is asked before staged files are removed."""
    from datetime import timedelta

    from cli import upkeep
    from functions.ingest.orphans import remove_orphans

    services = RecordedServices("orphans", {"SELECT DISTINCT feed": [{"feed": "sales", "landed_on": DAY}]})
    remove_orphans(services)
    list(upkeep._remove_staged(services, timedelta(days=30), timedelta(days=1)))
    yield from services.statements


def kpi_state() -> Iterator[Statement]:
    """What is known of the KPIs, and what each says in one number."""
    from functions.kpi.catalog import load_definitions
    from functions.kpi.headline import headlines
    from functions.kpi.keyed import first_fact
    from functions.kpi.state import read_state

    tables = [{"table_name": name} for name in load_definitions(RecordedServices("").settings.definitions_uri)]
    services = RecordedServices("kpi state", {"FROM inventory_curated.known_days": [_HORIZON]})
    read_state(services)
    listed = RecordedServices("kpi list", {"SELECT table_name FROM inventory_kpi.INFOR": tables})
    headlines(listed)
    came = RecordedServices("new keys", {"@keys": [{"first_day": DAY}]})
    for dimension in ("products", "locations"):
        first_fact(f"inventory_curated.{dimension}", {"a"}, came)
    yield from (*services.statements, *listed.statements, *came.statements)


def catalogue() -> Iterator[Statement]:
    """What the catalogue shows of an environment: sample values, and the quality of each day."""
    from cli.catalog.measured import measured
    from cli.catalog.scores import scores

    contracts = RecordedServices("").contracts
    newest = [{"feed": feed, "load_id": "a", "landed_on": DAY, "raw_run_id": "r"} for feed in contracts]
    services = RecordedServices("catalogue", {"raw_run_id IS NOT NULL": newest})
    measured(services)
    list(scores(services))
    yield from services.statements


def environment() -> Iterator[Statement]:
    """What the embedded stack makes, from the files that Terraform reads too."""
    from cli import provision
    from stockflow.schema import schemas

    wanted = schemas(RecordedServices("").contracts)
    datasets = sorted({name.partition(".")[0] for name in wanted})
    there = [
        {"dataset": datasets.index(dataset), "table_name": table, "column_name": c["name"]}
        for (dataset, _, table), columns in ((name.partition("."), columns) for name, columns in wanted.items())
        for c in columns[:-1]
    ]  # tables of an earlier release: each lacks a column
    answers: dict[str, list[dict[str, Any]]] = {
        "INFORMATION_SCHEMA.TABLES": [{"n": 1}], "INFORMATION_SCHEMA.COLUMNS": there,
    }  # fmt: skip
    services = RecordedServices("provision", answers)
    for make in (provision.tables, provision.routines, provision.reporting, provision.views):
        make(services)
    yield from services.statements


def trials() -> Iterator[Statement]:
    """A replay that is tried in a sandbox: its tables, the comparison, and putting it in place."""
    from cli.replay import changes, choice, promote, sandbox

    for stage in ("ingest", "kpi"):  # what is copied by clone, and what is seen through a view
        live, tried = RecordedServices(f"replay of {stage}"), RecordedServices(f"replay of {stage}", prefix=SANDBOX)
        scope = sandbox.Scope(stage, frozenset({"sales"}))
        live.warehouse.query(";\n".join(sandbox._copies(live, tried, scope)))
        chosen = [choice.Chosen("a", "sales", {"landed_on": DAY}, None)]
        found = [
            changes.Change("kpi.gmroi", ("sku",), added=1, dates=(str(DAY),), replaced=again) for again in (True, False)
        ]
        promote.promote(scope, chosen, found, 1, live, tried)
        yield from live.statements


def comparisons() -> Iterator[Statement]:
    """What differs between a table and its copy: every feed's, every KPI's."""
    from cli.replay import changes, diff

    summary = {"added": 1, "removed": 0, "changed": 0, "delta": 0, "dates": str(DAY)}
    tables = {f"kpi.{name}": {c["name"]: c["type"] for c in t["schema"]} for name, t in kpi_tables().items()}
    for feed, contract in RecordedServices("").contracts.items():
        tables[f"curated.{feed}"] = {c.name: c.physical_type for c in contract.columns}
    for table, columns in tables.items():
        answers: dict[str, list[dict[str, Any]]] = {
            "INFORMATION_SCHEMA": [{"column_name": c, "data_type": t} for c, t in columns.items()],
            "AS added": [{**summary, **{f"d_{i}": 1 for i in range(len(columns))}}],
        }
        live = RecordedServices(f"diff of {table}", answers)
        tried = RecordedServices(f"diff of {table}", answers, SANDBOX)
        keys = tuple(columns)[:2]
        date_column = "business_date" if "business_date" in columns else None
        changes.compare(
            changes.Compared(table, keys, date_column, "value" if "value" in columns else None), live, tried
        )
        diff._computed_in(live, tried)
        yield from live.statements


def backfills() -> Iterator[Statement]:
    """What a backfill asks the ledger, and how it keeps the KPI tables as they are."""
    from cli.backfill import cells
    from cli.backfill.order import Order
    from cli.backfill.world import Environment

    services = RecordedServices("backfill")
    kept = RecordedServices("backfill", prefix=SANDBOX)
    for order in (Order("ingest"), Order("transform", ("sales",), NOW, NOW), Order("kpi", by="business")):
        Environment(services).days(order)
        Environment(services).loads(order, DAY, NOW)
    services.warehouse.query(";\n".join(cells.clones(services, kept, ["gmroi", "net_sales"])))
    yield from services.statements


def validation() -> Iterator[Statement]:
    """The rows of a load, as validation reads them, of each feed."""
    from functions.validate import counted, earlier, rows
    from stockflow.ledger import StageRecord

    for feed, contract in RecordedServices("").contracts.items():
        services = RecordedServices(f"validate {feed}")
        record = StageRecord("a", feed, "ingest", "loaded", "1", NOW, NOW, object="", landed_at=NOW, generation=1)
        columns = [rows.ROW, rows.LINE, *(c.name for c in contract.stated), rows.EXTRA]
        list(rows.Raw(contract, replace(record, raw_run_id="r"), services, 0).pieces(columns))
        earlier.earlier_loads(contract, record, services)
        counted.stated_before(contract, replace(record, detail={"control_counts": ["lines"]}), services)
        yield from services.statements


def command_line() -> Iterator[Statement]:
    """What commands ask that is put together from pieces."""
    from cli import loads, quarantine, reconciliation, sender, stale
    from cli.audit import again, counts, deep, statements
    from cli.replay import choice
    from functions.ingest import sweep
    from functions.ingest.receipts import story
    from functions.kpi.catalog import load_definitions
    from stockflow.senders import Sender

    services = RecordedServices("stockflow audit, loads, quarantine", {"DISTINCT feed": [{"feed": "sales"}]})
    list(counts.end_states([], services))
    list(counts.rows(counts.records(services), services))
    list(statements.current_rows(services))
    for definition in load_definitions(services.settings.definitions_uri).values():
        again._sample(definition, None, services)
        again._difference(definition, [DAY], services)
    for feed in services.contracts:
        one_row = {"day": DAY, "load": "a", "run": "b", "first": 1, "last": 2}
        services.warehouse.query(deep._ROWS.format(feed=feed), one_row)
    reconciliation.curated_rows(services, services.contracts)
    loads.find_loads(services, load_ids=["a"])
    loads.loads_named(services, "sales.csv")
    for feed in services.contracts:
        quarantine.open_rows(services, feed, "a")
    quarantine.open_rows(services)
    choice._dated(choice.Choice("transform", by="business", first=NOW, last=NOW), services)
    sweep.waiting(services, NOW)
    sweep.orphaned_copies(services, NOW)
    story.ended(services, NOW, DAY)
    story.stories(services, [story.Ended("a", DAY, NOW)])
    acme = Sender("acme", ("*/acme/*",))
    for senders in ((), (acme,)):
        services.warehouse.query(*stale.recorded(senders))
    sender.read_as(acme, services)
    yield from services.statements


def _splits(tables: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return by what the first page splits each KPI."""
    from local.dashboard.breakdowns import first_known
    from local.dashboard.catalogue import Kpi

    kpis = {name: Kpi(name, "", "", "", "", "", ("ratio", "sum")[n % 2]) for n, name in enumerate(tables)}
    found = {name: first_known(kpi, tables[name], ("location", "category"), DAY) for name, kpi in kpis.items()}
    return {name: split for name, split in found.items() if split}


def dashboard() -> Iterator[Statement]:
    """The queries behind the laptop's dashboard: every KPI, with and without filters."""
    from local.dashboard import breakdowns, queries, shapes, sums
    from local.dashboard.catalogue import Kpi, class_column
    from local.dashboard.rollup import Selection

    filters = (Selection(DAY, DAY), Selection(DAY, DAY, frozenset({"a"}), frozenset({"b"})))
    tables = {kpi: tuple(c["name"] for c in table["schema"]) for kpi, table in kpi_tables().items()}
    tables = {kpi: columns for kpi, columns in tables.items() if "value" in columns}
    asked = [queries.bounds(tables), sums.moved(tables, (DAY, DAY))]
    asked += [q for c in ("location_code", "category") if (q := queries.names(c, tables, DAY))]
    year = Selection(DAY - timedelta(days=365), DAY)
    asked += [sums.over_time(tables, chosen) for chosen in (*filters, year)]
    asked += [sums.ranked(tables, _splits(tables), chosen, 6) for chosen in (*filters, year)]
    yield from (Statement("dashboard", q.sql, parameter_types(dict(q.params))) for q in asked)
    for kpi, columns in tables.items():
        found = []
        grain = tuple(c for c in ("sku", "location_code", "supplier_code") if c in columns)
        plain = tuple(c for c in columns if c != "category")
        for chosen in filters:
            for rollup, known in (("ratio", columns), ("sum", plain)):
                shown = Kpi(kpi, "", "", "", "", "", rollup, grain=grain)
                splits = [s for d in queries.DIMENSIONS if (s := breakdowns.Split(shown, known, d, DAY)).known]
                found += [breakdowns.question(splits, chosen, 9)] if splits else []
                found += [queries.table(shown, known, DAY, chosen, 9)]
            found += [shapes.pareto_query(kpi, columns, chosen, DAY)] if class_column(columns) else []
            if shapes.buckets(columns):
                found += [shapes.age_query(kpi, columns, by, chosen, DAY) for by in ("location", "category")]
            if "sku" in columns:
                found += [shapes._query(kpi, "k.sku, SUM(k.value) AS amount", "k.sku", columns, chosen, DAY)]
        yield from (Statement(f"dashboard {kpi}", q.sql, parameter_types(dict(q.params))) for q in found)


def examples() -> Iterator[Statement]:
    """The KPI definitions that the documentation shows."""
    from functions.kpi.catalog import load_definitions

    for name, definition in load_definitions(str(bundle_root() / "docs" / "examples")).items():
        yield Statement(f"docs/examples/{name}.sql", definition.sql)


def analysts() -> Iterator[Statement]:
    """What an analyst's commands ask of a definition: preview, cost, diff, its view; of each kind of them."""
    from cli.kpi import cost, figures, reporting, sql, statements, template, valued, why
    from cli.kpi.checked import checked
    from cli.kpi.known import as_known
    from cli.kpi.subject import Subject
    from cli.kpi.workspace import open_workspace

    services = RecordedServices("")
    workspace = open_workspace([], services.settings.definitions_uri)
    known = checked(workspace, thorough=False).known
    types = {"from_date": "DATE", "to_date": "DATE", "day": "DATE", "known_loads": "ARRAY<STRING>"}
    types |= {"first": "DATE", "last": "DATE", "days": "ARRAY<DATE>"}
    for name in ("abc_class", "fill_rate", "net_sales", "window_28d", "calendar"):
        definition = workspace.definitions[name]
        subject = Subject(definition, workspace, services, known)
        one = sql.over_days(definition, subject.inputs)
        texts = [cost.size_sql(subject)]
        if definition.kind == "kpi":
            keys = ("business_date", *definition.grain)
            texts += [sql.by_day(definition, subject.inputs), sql.cells(definition, subject.inputs)]
            texts += [sql.change_counts(one, one, keys), sql.largest_changes(one, one, keys, 20)]
            texts += [reporting.view_sql(definition)]
            texts += [why.cells_sql(definition), why.quantities_sql(definition), valued.days_sql(definition)]
            for by in (None, *figures.splits(definition)):
                texts += [figures.figures_sql(definition, by, part, by is None) for part in ((), definition.grain)]
            types |= {f"in_{column}": "ARRAY<STRING>" for column in definition.grain}
        yield from (Statement(f"stockflow kpi of {name}", text, types) for text in texts)
    # Of one table: the analyzer's answer for a chain of definitions is deeper than its format allows.
    columns = "business_date, sku, 1.0 AS numerator, 1.0 AS denominator, 1.0 AS value"
    shallow = replace(
        workspace.definitions["net_sales"], sql=f"SELECT {columns} FROM inventory_curated.sales", grain=("sku",)
    )
    for with_late in (False, True):
        yield Statement("stockflow kpi why --known-at", as_known(shallow, workspace, with_late), types)
    for name, denominator in (("new_sum", ""), ("new_ratio", "ordered_quantity")):
        source = "inventory_curated.purchase_orders"
        idea = template.Idea(name, "", "", source, "received_quantity", denominator, ("sku",), "", known[source])
        yield Statement("stockflow kpi new", template.select_text(idea))
    for feed in statements.AMOUNTS:
        text = statements.lines_sql(services.contracts[feed], ["sku"])
        yield Statement(f"stockflow kpi why, {feed}", text, {"first": "DATE", "last": "DATE", "sku": "STRING"})


def lineage() -> Iterator[Statement]:
    """What is asked for the path of a file, and for the files behind a KPI and a cell of it."""
    from cli.kpi.workspace import open_workspace
    from cli.lineage import facts
    from cli.lineage.model import build
    from stockflow.ledger import StageRecord, next_record

    tables = {"tables": ["inventory_curated.sales"], "dates": [str(DAY)]}
    ingest = StageRecord("a", "sales", "ingest", "loaded", "v", NOW, NOW, "landing", "sales/a.csv", 1, landed_at=NOW)
    moved = next_record(ingest, "transform", state="transformed", detail=tables)
    stages = [r.row() for r in (ingest, moved, next_record(moved, "kpi", state="refreshed"))]
    services = RecordedServices(
        "lineage", {"SELECT \\* FROM inventory_ops.load_stages_latest": stages, "AS load_id": [{"load_id": "a"}]}
    )
    found = facts.Facts(services, build(open_workspace([], services.settings.definitions_uri)))
    found.files(["sales"], 5)
    found.names()
    found.last_run("net_sales")
    found.path({"landed_on": DAY, "load_id": "a", "feed": "sales", "bucket": "landing", "object": "sales/a.csv",
                "generation": 1, "landed_at": NOW, "state": "loaded"})  # fmt: skip
    cell = {"business_date": DAY, "sku": "A", "location_code": "LYO"}
    for name in ("net_sales", "fill_rate"):
        definition = found.model.definitions[name]
        where = {column: value for column, value in cell.items() if column in ("business_date", *definition.grain)}
        found.cell(definition, where, 5)
        found.behind(definition, where)
    yield from services.statements


def emitted() -> Iterator[Statement]:
    """What is read of the ledger to tell others of it."""
    from cli.lineage.model import Model
    from functions.ingest.lineage.events import Writer
    from functions.ingest.lineage.ledger import Window, events
    from stockflow.ledger import StageRecord

    record = StageRecord("a", None, "validate", "failed", "v", NOW, NOW, run_id="r", landed_at=NOW)
    services = RecordedServices("lineage emit", {"FROM inventory_ops.load_stages": [record.row()]})
    writer = Writer(services.settings, Model(_workspace(services)))
    assert list(events(services, writer, Window(NOW, NOW)))
    yield from services.statements


def erasures() -> Iterator[Statement]:
    """What finds a person in every table, and what erases it."""
    from cli.erase.command import find, parameters, remove

    counted: dict[str, list[dict[str, Any]]] = {
        r"AS `rows` FROM": [{"rows": 1}],
        "DISTINCT _?load_id AS load_id": [{"load_id": "a"}],
    }
    services = RecordedServices("erase", counted)
    asked = parameters("somebody@example.com")
    remove(services, asked, find(services, asked))
    yield from services.statements


def _workspace(services: RecordedServices) -> Any:
    from cli.kpi.workspace import open_workspace

    return open_workspace([], services.settings.definitions_uri)


BUILT: dict[str, Callable[[], Iterator[Statement]]] = {
    f.__name__: f
    for f in (
        drains,
        retained,
        kpis,
        ledger,
        duplicates,
        orphans,
        kpi_state,
        catalogue,
        environment,
        trials,
        comparisons,
        backfills,
        validation,
        command_line,
        dashboard,
        examples,
        analysts,
        lineage,
        emitted,
        erasures,
    )
}
