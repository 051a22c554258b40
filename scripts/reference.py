"""Write docs/reference/ from the tables that the program itself runs on.

python scripts/reference.py           write the pages
python scripts/reference.py --check   exit 1 and name each page that is not up to date
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from vedette.clearinghouse.machine import Machine
from vedette.clearinghouse.mandates import MANDATE
from vedette.clearinghouse.states import MACHINES
from vedette.cli import COMMANDS, vedette
from vedette.engagement.acts import ACTS
from vedette.engagement.custody import CUSTODY
from vedette.engagement.review import TABLES as REVIEW_TABLES
from vedette.engagement.stances import STANCES
from vedette.engagement.table import Table
from vedette.engagement.window import WINDOW
from vedette.exchange import fields as kinds
from vedette.exchange.messages import TABLE
from vedette.kernel.events import Event
from vedette.kernel.permissions import PROFILE_ROLES, ROLES, Permission, Profile
from vedette.site.config import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
Row = tuple[str, ...]


def cell(text: str) -> str:
    """Text as it may stand in a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    return f"`{cell(text)}`" if text else ""


def names(values: Iterable[str]) -> str:
    return ", ".join(code(value) for value in values)


def table(head: Row, rows: Iterable[Row]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(title: str, lead: str, *parts: str) -> str:
    note = "<!-- written by scripts/reference.py; change the table in the code instead -->"
    return "\n\n".join([f"# {title}", note, lead, *parts]) + "\n"


def settings() -> str:
    rows = [(code(s.key), code(s.variable), code(s.default), cell(s.meaning)) for s in SETTINGS]
    return page(
        "Settings",
        "An instance reads `vedette.toml` in its folder; an environment variable wins over the"
        " file. A key that is not in this table is refused. `vedette check` says what is"
        " misconfigured or weaker than recommended.",
        table(("key", "variable", "default", "meaning"), rows),
    )


def permissions() -> str:
    rows = [
        (code(p), names(role for role, held in ROLES.items() if p in held))
        for p in sorted(Permission)
    ]
    roles = [
        (code(role), names(p for p in Profile if role in PROFILE_ROLES[p]), str(len(held)))
        for role, held in ROLES.items()
    ]
    return page(
        "Permissions and roles",
        "A permission is named `scope:resource:action`. A person holds those of one role in each"
        " organisation; none of them is about a release.",
        "## Permissions",
        table(("permission", "roles that hold it"), rows),
        "## Roles",
        table(("role", "profiles that have it", "permissions"), roles),
    )


def moves() -> Iterator[tuple[str, str, Event]]:
    """Every row of every state table as (table, trigger, event)."""
    for machine in (ACTS, CUSTODY, STANCES, WINDOW, *REVIEW_TABLES, *MACHINES, MANDATE):
        for row in machine.rows:
            yield machine.name, row.trigger, row.event


def events() -> str:
    recorded: dict[Event, list[str]] = {event: [] for event in Event}
    for name, trigger, event in moves():
        move = f"{name}: {trigger}"
        if move not in recorded[event]:
            recorded[event].append(move)
    rows = [(code(event), cell("; ".join(recorded[event]))) for event in sorted(Event)]
    return page(
        "Ledger events",
        "An event is named `source:subject:action`. Where a state table records it, the moves are"
        " named; the others are recorded by the act of that name.",
        table(("event", "moves that record it"), rows),
    )


def engagement_rows(machine: Table) -> Iterator[Row]:
    for row in machine.rows:
        permission = code(row.permission) if row.permission else "nobody's: it is the hour"
        yield (cell(row.trigger), row.source, row.target, row.actor, permission, code(row.event))


def machine_rows(machine: Machine) -> Iterator[Row]:
    for row in machine.rows:
        who = ", ".join(sorted(row.who))
        yield cell(row.trigger), row.source, row.target, who, code(row.event)


def states() -> str:
    parts = []
    for machine in (ACTS, CUSTODY, STANCES, WINDOW, *REVIEW_TABLES):
        head: Row = ("trigger", "from", "to", "who", "permission", "event")
        parts += [f"## {machine.name}", table(head, engagement_rows(machine))]
    for other in (*MACHINES, MANDATE):
        head = ("trigger", "from", "to", "who", "event")
        parts += [f"## {other.name}", table(head, machine_rows(other))]
    return page(
        "States",
        "Each machine is a frozen table of rows in the code; pages draw their buttons from it and"
        " tests walk it. `clock` is an hour that has come, `execution` a result from a sandbox;"
        " neither is a person.",
        *parts,
    )


def described(field: kinds.Field) -> str:
    """A field's kind and bounds in words."""
    match field:
        case kinds.Text():
            form = f", form {code(field.pattern)}" if field.pattern else ""
            return f"text, at most {field.limit:,} characters{form}"
        case kinds.Choice():
            return "one of " + names(field.words)
        case kinds.Time():
            return "time, RFC 3339 with its zone"
        case kinds.Whole():
            return f"whole number from {field.low:,}"
        case kinds.YesNo():
            return "true or false"
        case kinds.ListOf():
            return f"list, at most {field.limit:,}: {described(field.item)}"
        case kinds.Record():
            return "object: " + names(field.fields)
        case kinds.TextMap():
            return f"texts by name, at most {field.limit:,}"
        case kinds.Document():
            return f"JSON object, at most {field.limit:,} bytes"
        case kinds.Mark():
            return "marking"
    raise TypeError(f"no words for {type(field).__name__}")


def messages() -> str:
    parts = []
    for row in TABLE:
        rows = [
            (code(name), described(field), "yes" if field.required else "no")
            for name, field in row.body.fields.items()
        ]
        way = f"{', '.join(sorted(row.senders))} → {', '.join(sorted(row.receivers))}"
        parts += [
            f"## {row.name}",
            f"{row.purpose} Version {row.version}. {way}.",
            table(("field", "kind", "required"), rows),
        ]
    return page(
        "Messages",
        "Everything that may cross between instances as a message: a type or a field that is not"
        " here is refused on the way out and on the way in. None of them sets or moves a release"
        " date; a lab that likes may name its dates, for information, among the dossier's texts.",
        *parts,
    )


def walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """A command with those below it."""
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield path, command
    if not isinstance(command, click.Group):
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        if below is not None:
            yield from walk(below, f"{path} {name}")


def option_rows(command: click.Command) -> Iterator[Row]:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            words = ", ".join((*parameter.opts, *parameter.secondary_opts))
            value = "" if parameter.is_flag else f" {parameter.make_metavar(CONTEXT)}"
            must = "required. " if parameter.required else ""
            yield code(words + value), cell(must + (parameter.help or ""))


CONTEXT = click.Context(vedette)


def commands() -> str:
    lines = [(code(name), cell(line)) for name, (_, _, line) in sorted(COMMANDS.items())]
    parts = [table(("command", "does"), lines)]
    for path, command in walk(vedette, "vedette"):
        usage = " ".join(command.collect_usage_pieces(click.Context(command)))
        text = (command.help or "").replace("\b", "").strip()
        parts += [f"## {path}", f"```\n{path} {usage}\n```", text]
        rows = list(option_rows(command))
        if rows:
            parts.append(table(("option", "meaning"), rows))
    return page(
        "Commands",
        "Exit codes: 0 done; 1 the answer is no; 2 bad input, usage, refused, or an extra missing;"
        " 3 our own fault. Errors are one line on stderr. The instance of a command is"
        " `--instance DIR`, else `VEDETTE_INSTANCE`, else the current folder.",
        *parts,
    )


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "events.md": events,
    "messages.md": messages,
    "permissions.md": permissions,
    "settings.md": settings,
    "states.md": states,
}


def stale() -> list[str]:
    """The pages that are not what the code says now."""
    return [
        name
        for name, write in PAGES.items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_text("utf-8") != write()
    ]


def main(arguments: list[str]) -> int:
    found = stale()
    if "--check" in arguments:
        for name in found:
            print(f"docs/reference/{name} is not up to date; next: python scripts/reference.py")
        return 1 if found else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in found:
        (FOLDER / name).write_text(PAGES[name](), "utf-8")
        print(f"docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
