"""A group of commands whose modules are imported when one of them is called: ``--help`` answers at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class Command:
    """Where a command, or the app of a group of commands, is found, and its help in one line."""

    module: str
    attribute: str
    summary: str

    def load(self, name: str) -> Any:
        """Import the module and return the command that it holds, as the group would have built it."""
        found = getattr(import_module(self.module), self.attribute)
        holder = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
        holder.callback()(lambda: None)
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=name, cls=found.info.cls or NamedGroup)
        else:
            holder.command(name)(found)
        group: Any = typer.main.get_group(holder)
        return group.commands[name]


class _Loaded(Mapping[str, Any]):
    """Name -> command: asking for names imports nothing, asking for a command imports its module."""

    def __init__(self, table: Mapping[str, Command]) -> None:
        self._table = table
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = self._table[name].load(name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


def _path(ctx: Any) -> str:
    """Return the names of the groups below the program, and of the command that was called (none: the group itself)."""
    names = [ctx.invoked_subcommand] if ctx.invoked_subcommand else []
    while ctx.parent is not None:
        names.insert(0, ctx.info_name)
        ctx = ctx.parent
    return " ".join(names)


class NamedGroup(TyperGroup):
    """A group whose errors carry the name of the command that was called."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error carries the command's name as a note, for ``output.told``."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if not getattr(error, "__notes__", None):
                error.add_note(f"stockflow {_path(ctx)}")
            raise


def lazy_group(table: Mapping[str, Command]) -> type[TyperGroup]:
    """Return the class of a group with these commands, for ``typer.Typer(cls=...)``."""

    class LazyGroup(NamedGroup):
        def __init__(self, **attrs: Any) -> None:
            super().__init__(**attrs)
            self.commands: Any = _Loaded(table)

        def list_commands(self, _ctx: Any) -> list[str]:
            """Return the names."""
            return list(table)

        def get_command(self, _ctx: Any, cmd_name: str) -> Any:
            """Return what help and completion need of a command: its name and its line."""
            found = table.get(cmd_name)
            return found and TyperCommand(cmd_name, short_help=found.summary)

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            """Return the command itself: it is called."""
            name, found, rest = super().resolve_command(ctx, args)
            return name, found and self.commands[name], rest

    return LazyGroup
