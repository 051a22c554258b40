"""Write docs/traceability.md from docs/traceability.toml: clause → act → page or command → test.

    python scripts/traceability.py           write the page
    python scripts/traceability.py --check   exit 1 and say what is wrong or not up to date

A cell is a list of references, each of which must name something that exists, or one text that
begins with `open: ` and says what is missing. References:

    code:vedette.ROOM.MODULE.NAME   a function, class or table in the source
    command:vedette NAME ...        a command
    page:/ADDRESS/                  an address of an instance (any id will do where one is needed)
    api:METHOD /ADDRESS             a call of the API, below /api/v1
    message:NAME                    a message type
    pack:A.B.C                      a rule of the default policy pack
    field:ID                        a field of the default pack's dossier
    test:tests/FILE.py::NAME        a test
"""

from __future__ import annotations

import ast
import importlib
import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click

from vedette.cli import vedette
from vedette.exchange.messages import BY_NAME
from vedette.kernel.errors import VedetteError
from vedette.kernel.packs import default_pack
from vedette.readiness.dossier import fields_of

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "docs" / "traceability.toml"
PAGE = ROOT / "docs" / "traceability.md"
# column -> the kinds of reference it takes
CELLS = {
    "act": ("code", "field", "message", "pack"),
    "place": ("api", "command", "page"),
    "test": ("test",),
}
OPEN = "open: "


@cache
def defined(path: Path) -> frozenset[str]:
    """The names that a source file defines at its top level."""
    if not path.is_file():
        return frozenset()
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(found)


def is_code(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    path = ROOT / "src" / Path(*module.split("."))
    return attribute in defined(path.with_suffix(".py")) | defined(path / "__init__.py")


def is_command(name: str) -> bool:
    words = name.split()
    command: click.Command | None = vedette
    for word in words[1:]:
        if not isinstance(command, click.Group):
            return False
        command = command.get_command(click.Context(command), word)
    return words[0] == "vedette" and command is not None


@cache
def start_django() -> None:
    """The addresses are known once the composition root stands; no instance is needed."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vedette.site.settings")
    django.setup()


def is_page(address: str) -> bool:
    start_django()
    from django.urls import Resolver404, resolve

    try:
        resolve(address)
    except Resolver404:
        return False
    return True


def is_api(call: str) -> bool:
    start_django()
    importlib.import_module("vedette.site.urls")  # the routers register here
    from vedette.web.api.root import api

    method, _, address = call.partition(" ")
    paths = api.get_openapi_schema()["paths"]
    plain = {
        re.sub(r"\{[^}]*\}", "{}", path.removeprefix("/api/v1")): set(methods)
        for path, methods in paths.items()
    }
    return method.lower() in plain.get(re.sub(r"\{[^}]*\}", "{}", address), set())


def is_rule(path: str) -> bool:
    value: Any = default_pack().rules
    for key in path.split("."):
        if key not in value:
            return False
        value = value[key]
    return True


def is_test(name: str) -> bool:
    file, _, function = name.partition("::")
    return function in defined(ROOT / file)


CHECKS: dict[str, Callable[[str], bool]] = {
    "api": is_api,
    "code": is_code,
    "command": is_command,
    "field": lambda name: name in {field.id for field in fields_of(default_pack())},
    "message": lambda name: name in BY_NAME,
    "pack": is_rule,
    "page": is_page,
    "test": is_test,
}


def parts() -> list[dict[str, Any]]:
    """The parts of the data file, each with `title` and `clause`, a list of rows."""
    found: list[dict[str, Any]] = tomllib.loads(DATA.read_text("utf-8"))["part"]
    return found


def faults() -> Iterator[str]:
    """Every cell that is neither filled with what exists nor named open."""
    for part in parts():
        for row in part["clause"]:
            for cell in CELLS:
                for fault in cell_faults(row.get(cell), cell):
                    yield f"{part['title']}, {row['id']}, {cell}: {fault}"


def cell_faults(value: Any, cell: str) -> Iterator[str]:
    if isinstance(value, str) and value.startswith(OPEN) and len(value) > len(OPEN):
        return
    if not isinstance(value, list) or not value:
        yield "neither filled nor named open"
        return
    for reference in value:
        kind, _, name = str(reference).partition(":")
        if kind not in CELLS[cell]:
            yield f"{reference!r} is no reference of this column"
        elif not exists(kind, name):
            yield f"{reference!r} does not exist"


def exists(kind: str, name: str) -> bool:
    try:
        return CHECKS[kind](name)
    except (ModuleNotFoundError, VedetteError):
        return False


def shown(value: Any) -> str:
    if isinstance(value, str):
        return f"**{value}**"
    return "<br>".join(label(str(reference)) for reference in value)


def label(reference: str) -> str:
    kind, _, name = reference.partition(":")
    if kind == "test":
        return f"`{name.removeprefix('tests/').replace('.py::', ': ')}`"
    if kind == "code":
        return f"`{name.removeprefix('vedette.')}`"
    return f"`{name}`" if kind in ("command", "api", "page") else f"{kind} `{name}`"


def page() -> str:
    lines = [
        "# Traceability",
        "",
        "<!-- written by scripts/traceability.py from traceability.toml -->",
        "",
        "Which act serves a clause, where a person or a program does it, and the test that would"
        " fail. The clauses are told in our own words; the order's text governs.",
    ]
    cells = [row[cell] for part in parts() for row in part["clause"] for cell in CELLS]
    still = sum(isinstance(cell, str) for cell in cells)
    lines += ["", f"{len(cells)} cells: {len(cells) - still} filled, {still} open."]
    for part in parts():
        lines += ["", f"## {part['title']}", ""]
        if "about" in part:
            lines += [part["about"], ""]
        lines += ["| clause | says | act | page or command | test |", "| --- " * 5 + "|"]
        for row in part["clause"]:
            text = " | ".join([row["id"], row["says"], *(shown(row[cell]) for cell in CELLS)])
            lines.append(f"| {text} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    found = list(faults())
    for fault in found:
        print(fault)
    if found:
        return 1
    if "--check" in arguments:
        if not PAGE.is_file() or PAGE.read_text("utf-8") != page():
            print("docs/traceability.md is not up to date; next: python scripts/traceability.py")
            return 1
        return 0
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
