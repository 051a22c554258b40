"""The reference pages say what the code says now, and leave nothing out."""

from __future__ import annotations

import pytest
from scripts import reference

from vedette.clearinghouse.mandates import MANDATE
from vedette.clearinghouse.states import MACHINES
from vedette.cli import COMMANDS
from vedette.engagement.acts import ACTS
from vedette.engagement.window import WINDOW
from vedette.exchange.messages import TABLE
from vedette.kernel.events import Event
from vedette.kernel.permissions import ROLES, Permission
from vedette.site.config import SETTINGS

ROWS: dict[str, list[str]] = {
    "commands.md": [f"`{name}`" for name in COMMANDS],
    "events.md": [f"`{event}`" for event in Event],
    "messages.md": [
        text
        for row in TABLE
        for text in (f"## {row.name}\n", *(f"| `{field}` |" for field in row.body.fields))
    ],
    "permissions.md": [*(f"`{p}`" for p in Permission), *(f"| `{role}` |" for role in ROLES)],
    "settings.md": [f"| `{s.key}` | `{s.variable}` |" for s in SETTINGS],
    "states.md": [
        f"| {row.trigger} | {row.source} | {row.target} |"
        for machine in (ACTS, WINDOW, *MACHINES, MANDATE)
        for row in machine.rows
    ],
}


@pytest.mark.parametrize("name", sorted(reference.PAGES))
def test_page_is_up_to_date(name: str) -> None:
    committed = (reference.FOLDER / name).read_text("utf-8")
    assert committed == reference.PAGES[name](), "next: python scripts/reference.py"


@pytest.mark.parametrize("name", sorted(ROWS))
def test_every_row_appears(name: str) -> None:
    text = (reference.FOLDER / name).read_text("utf-8")
    assert [row for row in ROWS[name] if row not in text] == []


def test_no_page_is_left_over() -> None:
    assert {path.name for path in reference.FOLDER.iterdir()} == set(reference.PAGES) == set(ROWS)
