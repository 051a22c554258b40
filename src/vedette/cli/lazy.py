"""A group of commands as a table; a command's module is imported when the command is called."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

import click

from vedette.kernel.collector import quiet_collector

# command -> (module, relative ones from this room, attribute, one line of help)
Table = dict[str, tuple[str, str, str]]


class LazyGroup(click.Group):
    """Looks its commands up in `table`."""

    def __init__(self, *args: Any, table: Table, **options: Any) -> None:
        super().__init__(*args, **options)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.table:
            return None
        module, attribute, _ = self.table[cmd_name]
        command = getattr(_imported(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.table[name][2]) for name in sorted(self.table)])


def _imported(name: str) -> ModuleType:
    full = importlib.util.resolve_name(name, __package__)
    if full in sys.modules:
        return sys.modules[full]
    with quiet_collector():
        return importlib.import_module(full)
