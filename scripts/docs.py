"""The pages that are made from code: docs/cli.md from the commands, docs/configuration.md from ``Settings``,
docs/formats.md from the readers.

``python -m scripts.docs`` (``make docs``) writes them; a test says when they are out of date.
"""

import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import typer

from cli.main import app
from scripts.formats_page import formats_page
from stockflow.settings import Settings, bundle_root, derived_defaults

CLI_HEAD = """# The command line

Generated from the commands by `make docs`: do not edit. `stockflow COMMAND --help` prints the same.

| option of every command | |
|---|---|
"""
CONFIGURATION_HEAD = """# Configuration

Generated from `shared/stockflow/settings.py` by `make docs`: do not edit.

What an environment consists of (buckets, topics, tables, memory and concurrency of each function, retry back-off)
stands in `pipeline.yaml`; what a feed is, in `contracts/`. What differs between the laptop and the cloud comes from
environment variables: `stockflow env` prints those of the embedded stack, `terraform/functions.tf` sets those of the
functions.

## Every part

| variable | decides | default |
|---|---|---|
"""
OTHERS = {
    "STOCKFLOW_STATE": ("Folder of the embedded stack, as `--state`.", "`.stockflow` here or in a folder above"),
    "STOCKFLOW_CLI_PROJECT": ("Set by `--project`: the command speaks to this project.", "none: the embedded stack"),
    "STOCKFLOW_SWEEP_SECONDS": ("Seconds between two sweeps of the embedded stack.", "`600`"),
    "STOCKFLOW_RECEIPTS_SECONDS": ("Seconds between two ticks that write receipts, of the embedded stack.", "`60`"),
    "STOCKFLOW_DATAPLEX_ENDPOINT": ("Address of a stand-in for Dataplex, of `stockflow catalog publish`.", "none"),
    "OPENLINEAGE_URL": ("Where `stockflow lineage emit` sends events: an endpoint such as Marquez.", "none"),
    "OPENLINEAGE_API_KEY": ("The bearer token for it.", "none"),
    "DEMO_EXIT": ("`1`: `stockflow demo` stops the stack when it has printed the KPIs.", "keep it running"),
}
DEPLOYED = {
    "STOCKFLOW_ENVIRONMENT": ("Name of the environment, for people who look at the function.", "Terraform sets it"),
    "STOCKFLOW_CODE_VERSION": ("Version of the bundle that is deployed, for people.", "Terraform sets it"),
}
TESTS_ONLY = {
    "STOCKFLOW_POINT": ("Where in the code a function is killed or fails: `shared/stockflow/points.py`.", "nowhere"),
}


def generated() -> dict[str, str]:
    """Return path below the repository -> text of each generated page."""
    return {
        "docs/cli.md": cli_page(),
        "docs/configuration.md": configuration_page(),
        "docs/formats.md": formats_page(),
    }


def configuration_page() -> str:
    """Return docs/configuration.md."""
    computed = derived_defaults("PROJECT", Path())
    rows = [_row(f.metadata["variable"], f.metadata["meaning"], _default(f, computed)) for f in fields(Settings)]
    parts = [CONFIGURATION_HEAD + "\n".join(rows)]
    groups = {"Only the command line": OTHERS, "Only deployed functions": DEPLOYED, "Only tests": TESTS_ONLY}
    for title, variables in groups.items():
        listed = "\n".join(_row(name, *said) for name, said in variables.items())
        parts.append(f"## {title}\n\n| variable | decides | default |\n|---|---|---|\n{listed}")
    return "\n\n".join(parts) + "\n"


def _default(setting: Field[Any], computed: dict[str, Any]) -> str:
    value = computed.get(setting.name, setting.default)
    if value is MISSING or value is None or value == "":
        return "none"
    return f"`{value}`"


def cli_page() -> str:
    """Return docs/cli.md."""
    root = typer.main.get_command(app)
    head = CLI_HEAD + "\n".join(_options(root, {"help", "install_completion", "show_completion"}))
    commands = dict(sorted(_commands(root, "")))
    index = "\n".join(f"- [`stockflow {n}`](#{_anchor(n)}): {_summary(c)}" for n, c in commands.items())
    return "\n\n".join([head, index, *(_command(n, c) for n, c in commands.items())]) + "\n"


def _commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    for inner, command in group.commands.items():
        full = f"{name} {inner}".strip()
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield full, command
        if hasattr(command, "commands"):
            yield from _commands(command, full)


def _anchor(name: str) -> str:
    return f"stockflow-{name}".replace(" ", "-")


def _summary(command: Any) -> str:
    return str(command.help).split("\n")[0]


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    text, _, examples = str(command.help).partition("Examples:")
    shown = "\n".join(line.strip() for line in examples.splitlines() if line.strip())
    parts = [f"## stockflow {name}", _paragraphs(text)]
    rows = [*(_row(p.name.upper(), p.help or "", "") for p in arguments), *_options(command, {"help"})]
    if rows:
        parts.append("| argument or option | | default |\n|---|---|---|\n" + "\n".join(rows))
    return "\n\n".join([*parts, f"```\n{shown}\n```"])


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(p.split()) for p in re.split(r"\n\s*\n", text.strip()))


def _options(command: Any, hidden: set[str]) -> list[str]:
    found = [p for p in command.params if p.param_type_name == "option" and p.name not in hidden and not p.hidden]
    return [_row(_flag(p), p.help or "", _shown(p)) for p in found]


def _flag(option: Any) -> str:
    return " / ".join([*option.opts, *option.secondary_opts])


def _shown(option: Any) -> str:
    value = option.default
    if value is None or value == "" or value is False or callable(value):
        return ""
    return f"`{value}`"


def _row(name: str, meaning: str, default: str) -> str:
    return f"| `{name}` | {meaning} | {default} |".replace("|  |", "| |")


def main() -> None:
    """Write the pages."""
    for name, text in generated().items():
        (bundle_root() / name).write_text(text, encoding="utf-8")
        print(name)


if __name__ == "__main__":
    main()
