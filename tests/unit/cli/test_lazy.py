"""Commands answer at once: what is not needed for the answer is not imported."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest
import typer

from cli.kpi import command as kpi
from cli.lazy import Command, lazy_group
from cli.lineage import command as lineage
from cli.main import COMMANDS, app
from cli.output import CommandError, told
from stockflow.gcp.lean import Without

ROOT = Path(__file__).parents[3]
SLOW = {
    "pandas", "numpy", "pyarrow", "sqlglot", "duckdb", "great_expectations", "streamlit", "zetasql", "grpc", "rich",
    "requests", "google.auth", "google.api_core.exceptions", "google.cloud.bigquery", "google.cloud.storage",
    "google.cloud.pubsub_v1",
}  # fmt: skip
CLIENTS = {
    "pydantic", "pandas", "sqlglot", "duckdb", "great_expectations", "google.cloud.bigquery", "google.cloud.pubsub_v1",
}  # fmt: skip
# Questions about one file or one stack, asked again and again.
ASKING = ("stack", "logs", "drop", "loads", "hold", "audit", "sweep", "quarantine", "deadletters", "package")


def imported(code: str) -> set[str]:
    """Run code in a process of its own and return what it imported."""
    return said(code)[1]


def said(code: str) -> tuple[list[str], set[str]]:
    """Run code in a process of its own and return what it printed, and what it imported."""
    script = f"{code}\nimport json, sys; print('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *printed, modules = done.stdout.splitlines()
    return printed, set(json.loads(modules))


def test_help_imports_no_command() -> None:
    """Of the project, ``stockflow --help`` imports the table of commands and how they print; no client, no parser."""
    found = imported(
        "import sys; from contextlib import suppress; sys.argv = ['stockflow', '--help']\n"
        "from cli.main import main\nwith suppress(SystemExit): main()"
    )
    ours = {m for m in found if m.partition(".")[0] in ("cli", "functions", "local", "stockflow")}
    assert ours == {"cli", "cli.main", "cli.lazy", "cli.output", "cli.patience", "stockflow", "stockflow.errors"}
    assert found & SLOW == set()


def test_commands_that_ask_import_a_client_only_to_ask() -> None:
    """Importing their modules imports no client, no parser, no table printer: that follows what they need."""
    found = imported("\n".join(f"import cli.{name}" for name in ASKING))
    assert found & SLOW == set()


def test_help_of_a_command_imports_no_client_and_no_validation_library() -> None:
    """Every command with its options, groups without their commands: half of the seconds were pydantic's."""
    found = imported(
        "import typer; from cli.main import COMMANDS, app\n"
        "commands = typer.main.get_command(app).commands\n"
        "for name in COMMANDS.keys() - {'demo'}: commands[name]"
    )
    assert found & CLIENTS == set()


def test_the_warehouse_is_opened_without_pandas_and_arrow() -> None:
    """Where they are installed, BigQuery's client does not import them: rows come as JSON."""
    found = imported("import stockflow.gcp.warehouse")
    assert "google.cloud.bigquery" in found and found & {"pandas", "numpy", "pyarrow"} == set()


OPENED = """
from stockflow.services import Services
from stockflow.settings import Settings
settings = Settings(project="p", bigquery_endpoint="http://127.0.0.1:1", storage_endpoint="http://127.0.0.1:1")
services = Services(settings)
print(services.warehouse.client._http, services.object_store.client._http)
"""


def test_an_emulator_is_asked_without_the_keys_of_service_accounts() -> None:
    """A fifth of what the clients import is cryptography, and no emulator asks for a signature."""
    found = imported(OPENED)
    assert {"google.cloud.bigquery", "google.cloud.storage"} <= found
    assert {name for name in found if name.partition(".")[0] == "cryptography"} == set()


def test_what_was_put_off_is_there_when_it_is_asked_for() -> None:
    """A service account's key signs as ever."""
    ask = "from google.oauth2 import service_account\nprint(service_account.Credentials.__name__)"
    printed, found = said(f"{OPENED}\n{ask}")
    assert "Credentials" in printed and "cryptography" in found


def test_the_stack_is_asked_without_what_starts_it() -> None:
    found = imported("import cli.stack, cli.drop, cli.loads")
    assert found & {"local.control", "local.supervisor", "local.guard", "local.process"} == set()


def test_versions_and_headers_of_definitions_are_read_without_their_sql() -> None:
    """`status` compares versions; reading the SQL of 45 definitions takes half a second."""
    found = imported(
        "from functions.kpi.catalog import read_headers\n"
        "assert read_headers('functions/kpi/definitions').definitions['gmroi'].version"
    )
    assert "sqlglot" not in found


ASKED_TWICE = """
from cli.kpi.lineage import _workspace, traced
from functions.kpi.headline import told
workspace = _workspace('abc_class')
for definition in workspace.definitions.values():
    told(definition)
print(hash(str(traced(workspace, 'value'))))
"""


def test_what_a_parser_found_is_asked_again_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first command that looks at definitions keeps what it finds; the next one says the same, sooner."""
    monkeypatch.setenv("STOCKFLOW_STATE", str(tmp_path))
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    first, again = said(ASKED_TWICE), said(ASKED_TWICE)
    assert "sqlglot" in first[1] and "sqlglot" not in again[1]
    assert first[0] == again[0]


def test_what_was_left_out_can_be_imported_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import fails as where nothing is installed, in this thread and in the block only."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with Without("colorsys"):
        with pytest.raises(ModuleNotFoundError):
            import_module("colorsys")
        with ThreadPoolExecutor(1) as other:
            assert other.submit(import_module, "colorsys").result()
    monkeypatch.delitem(sys.modules, "colorsys")
    assert import_module("colorsys")


plain = typer.Typer()  # a group as most are: its commands are imported with it
plain.callback()(lambda: None)


@plain.command()
def fail() -> None:
    """Fail."""
    raise CommandError("nothing is right")


def test_an_error_names_the_help_of_the_command_in_any_group() -> None:
    """Whether the group imports its commands late or at once, and whatever groups it is in."""
    of_plain = Command(__name__, "plain", "Fail.")
    root = typer.Typer(cls=lazy_group({"plain": of_plain, "lazy": Command(__name__, "lazy", "Fail.")}))
    root.callback()(lambda: None)
    for called in (["plain", "fail"], ["lazy", "plain", "fail"]):
        with pytest.raises(CommandError) as raised:
            typer.main.get_command(root)(called, standalone_mode=False)
        assert told(raised.value) == f"nothing is right; `stockflow {' '.join(called)} --help` shows what it takes"


lazy = typer.Typer(cls=lazy_group({"plain": Command(__name__, "plain", "Fail.")}))
lazy.callback()(lambda: None)
GROUPS = {"": (app, COMMANDS), "kpi": (kpi.app, kpi.COMMANDS), "lineage": (lineage.app, lineage.COMMANDS)}


@pytest.mark.parametrize(("group", "name"), [(group, name) for group, (_, table) in GROUPS.items() for name in table])
def test_the_line_in_help_is_the_command_s_own(group: str, name: str) -> None:
    """What ``stockflow --help`` says of a command is the first line of the command's help."""
    group_app, table = GROUPS[group]
    commands = typer.main.get_command(group_app).commands  # type: ignore[attr-defined]
    assert commands[name].help.split("\n")[0] == table[name].summary
