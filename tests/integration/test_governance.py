"""What the ledger says of files and KPIs, in this process: from a file forward, from a cell back to its lines."""

import json
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.cloud.bigquery import AccessEntry
from openlineage.client.event_v2 import RunState as EventType

from cli.access.grants import Grant
from cli.access.live import grants
from cli.audit.command import check
from cli.kpi.workspace import open_workspace
from cli.lineage.model import Model, build
from cli.main import main
from stockflow.services import Services
from stockflow.settings import bundle_root
from tests.support.openlineage import read
from tests.support.whole_path import WholePath

pytestmark = pytest.mark.integration
ROOT = bundle_root()
HEAD = "Ticket,Ligne,Date,Article,Magasin,Qté,montant net,devise,Remarque\n"
FIRST = f"{HEAD}R1,1,2026-09-01,A,LYO,2,20,EUR,x\nR1,2,2026-09-01,B,LYO,two,5,EUR,x\nR2,1,2026-09-01,A,PAR,1,10,EUR,x\n"
SECOND = f"{HEAD}R9,1,2026-09-03,A,LYO,5,50,EUR,x\n"


@pytest.fixture(scope="module")
def path(services: Services, tmp_path_factory: pytest.TempPathFactory) -> WholePath:
    """Two files of sales and one KPI that is computed from them."""
    folder = tmp_path_factory.mktemp("definitions")
    shutil.copy(ROOT / "docs/examples/units_per_store.sql", folder / "units_per_store.sql")
    services.settings = replace(services.settings, definitions_uri=str(folder))
    made = WholePath(services)
    made.drop("sales/sales_2026-W36.csv", FIRST)
    made.drop("sales/sales_2026-W36b.csv", SECOND)
    return made


@pytest.fixture(scope="module")
def model(path: WholePath) -> Model:
    """The lineage of this environment, read once: seconds."""
    return build(open_workspace([], path.services.settings.definitions_uri, path.services))


@pytest.fixture
def run(
    path: WholePath, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], str]:
    """Run a command against the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cli.target.services", lambda: path.services)
    monkeypatch.setattr("cli.target.reachable", lambda: True)
    for module in ("show", "emit"):
        monkeypatch.setattr(f"cli.lineage.{module}.build", lambda _workspace: model)

    def command(line: str) -> str:
        monkeypatch.setattr(sys, "argv", shlex.split(line))
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert not ended.value.code, said.err
        return said.out

    return command


def steps(found: list[dict[str, str]]) -> set[tuple[str, str]]:
    return {(step["from"], step["to"]) for step in found}


def test_a_file_leads_to_the_kpis_it_changed(run: Callable[[str], str]) -> None:
    found: dict[str, Any] = json.loads(run("stockflow lineage show sales_2026-W36.csv --json"))
    down = steps(found["down"])
    assert {found["name"], found["file"]["bucket"]} >= {f"gs://{found['file']['bucket']}/sales/sales_2026-W36.csv"
            f"#{found['file']['generation']}"}  # fmt: skip
    assert (found["name"], "inventory_raw.sales") in down
    assert ("inventory_curated.sales_enriched", "inventory_kpi.units_per_store") in down
    assert [(r["kpi"], r["from_date"]) for r in found["kpis"]] == [("units_per_store", "2026-09-01")]
    assert found["headers"]["Qté"] == "quantity" and "Remarque" not in found["headers"]
    assert {s["stage"]: s["rows"] for s in found["stages"]} == {"ingest": 3, "validate": 2, "transform": 2, "kpi": 2}
    assert all(s["run_id"] for s in found["stages"])


def test_a_cell_leads_back_to_files_and_lines(run: Callable[[str], str]) -> None:
    where = "location=LYO,date=2026-09-01"
    found = json.loads(run(f"stockflow lineage show units_per_store --where {where} --json"))
    assert [(c["sku"], c["value"]) for c in found["cells"]] == [("A", 2.0)]
    assert [(b["object"], b["rows"], b["lines"]) for b in found["behind"]] == [("sales/sales_2026-W36.csv", 1, [2])]


def test_a_table_names_its_newest_files(run: Callable[[str], str]) -> None:
    found = json.loads(run("stockflow lineage show curated.sales --up --most 1 --json"))
    assert [(f["object"], f["files"]) for f in found["files"]] == [("sales/sales_2026-W36b.csv", 2)]
    assert found["down"] == []


def test_the_ledger_is_told_as_events(run: Callable[[str], str]) -> None:
    """Each stage of each file and each computation of a KPI begins and ends; told again, nothing is new."""
    assert json.loads(run("stockflow lineage emit --since 1h --to events.jsonl --json"))["sent"] == 20
    told = [read(json.loads(line)) for line in Path("events.jsonl").read_text(encoding="utf-8").splitlines()]
    ended = [e.job.name for e in told if e.eventType is EventType.COMPLETE]
    stages = [f"{stage}.sales" for stage in ("ingest", "validate", "transform", "kpi")]
    assert sorted(ended) == sorted([*stages, *stages, *["compute.units_per_store"] * 2])
    assert json.loads(run("stockflow lineage emit --since 1h --to events.jsonl --json"))["sent"] == 0


SUPPLIERS = """supplier code;supplier name;contact;e-mail;tel;remark
S1;One;Claire Fabre;claire@one.example;+33 4 72 00 01 02;call CLAIRE  FABRE
S2;Two;Jens Vogel;jens@two.example;+49 711 555 0142;
S3;Three;Claire Fabre;other@three.example;+33 4 11 11 11 11;x;one cell too many
?!;Four;Claire Fabre;c@four.example;1;
"""
COUNT = "business date,count id,sku,location,counted quantity,counted by\n2026-09-01,C1,A,LYO,5,claire fabre\n"


def everything(services: Services) -> str:
    """Return all that tables, the landing bucket and the staging bucket hold, as one text."""
    tables = ["raw.suppliers", "curated.suppliers", "curated.suppliers_history", "raw.stock_counts",
              "curated.stock_counts", "curated.stock_counts_history", "ops.reject_rows", "ops.quarantine_rows",
              "ops.load_stages", "ops.stage_attempts", "ops.expectation_results"]  # fmt: skip
    found = [str(services.warehouse.query(f"SELECT * FROM inventory_{table}")) for table in tables]
    for bucket in (services.settings.landing_bucket, services.settings.staging_bucket):
        refs = list(services.object_store.list(bucket))
        found += [f"{o.name} {services.object_store.read(bucket, o.name).decode(errors='replace')}" for o in refs]
    return "\n".join(found)


def test_a_person_is_erased_and_the_audit_holds(path: WholePath, run: Callable[[str], str]) -> None:
    """Given a person in good, unreadable and refused rows of two feeds, each trace goes, others stay, counts hold."""
    services = path.services
    for name, text in {"suppliers/suppliers_2026-09-01.csv": SUPPLIERS, "stock_counts/counts_2026-09-01.csv": COUNT,
                       "suppliers/again/suppliers_2026-09-01.csv": SUPPLIERS}.items():  # fmt: skip
        path.drop(name, text)
    before = everything(services).lower()
    assert before.count("claire") > 10

    found = json.loads(run("stockflow erase --person 'claire fabre' --json"))
    assert not found["erased"] and everything(services).lower() == before
    rows = {t["table"].removeprefix("inventory_"): t["rows"] for t in found["tables"]}
    assert rows == {
        "raw.suppliers": 2, "curated.suppliers": 1, "curated.suppliers_history": 1, "raw.stock_counts": 1,
        "curated.stock_counts": 1, "curated.stock_counts_history": 1, "ops.reject_rows": 1, "ops.quarantine_rows": 1,
    }  # fmt: skip
    assert sorted(k["kind"] for k in found["objects"]) == ["landing"] * 3 + ["report"] * 2 + ["staged"] * 2

    done = json.loads(run("stockflow erase --person 'Claire Fabre' --for-good --json"))
    assert (done["erased"], done["left"], done["tables"]) == (True, 0, found["tables"])
    after = everything(services).lower()
    assert [word for word in ("claire", "00 01 02", "four.example", "other@three") if word in after] == []
    assert "jens vogel" in after and "sales_2026-w36" in after
    assert check(services, deep=True) == []
    assert json.loads(run("stockflow erase --person 'Claire Fabre' --json"))["tables"] == []


def test_a_replay_of_transform_changes_nothing_after_that(path: WholePath) -> None:
    """The marks pass through the model as they are."""
    services = path.services
    (load,) = services.warehouse.query("SELECT DISTINCT _load_id AS load_id FROM inventory_curated.suppliers")
    columns = "supplier_code, contact_name, email, phone"
    query = f"SELECT {columns} FROM inventory_curated.suppliers ORDER BY supplier_code"
    before = services.warehouse.query(query)
    assert before[0] == {"supplier_code": "S1", **dict.fromkeys(("contact_name", "email", "phone"), "[erased]")}
    typed = services.warehouse.query(f"SELECT {columns} FROM inventory_raw.suppliers_accepted ORDER BY supplier_code")
    assert typed == before and load["load_id"]


def test_the_environment_says_what_it_grants(path: WholePath) -> None:
    """Given a dataset that lists a group and a table with a policy, asked with the real client, then both are told."""
    services = path.services
    client, name = services.warehouse.client, services.settings.dataset("kpi")
    dataset = client.get_dataset(f"{services.settings.project}.{name}")
    dataset.access_entries = [*dataset.access_entries, AccessEntry("READER", "groupByEmail", "g@x.example")]
    client.update_dataset(dataset, ["access_entries"])
    table = f"{services.settings.project}.{services.settings.table('curated', 'suppliers')}"
    policy = client.get_iam_policy(table)
    policy.bindings = [{"role": "roles/bigquery.dataViewer", "members": {"user:u@x.example"}}]
    client.set_iam_policy(table, policy)
    told = grants(services)
    assert Grant("group:g@x.example", "roles/bigquery.dataViewer", f"dataset {name}") in told
    where = f"table {services.settings.table('curated', 'suppliers')}"
    assert Grant("user:u@x.example", "roles/bigquery.dataViewer", where) in told


def test_the_commands_of_the_page_run(run: Callable[[str], str]) -> None:
    """Each command of docs/lineage.md, on the two files that it speaks of."""
    page = (ROOT / "docs/lineage.md").read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    assert lines and all(run(line) for line in lines)
