"""Every clause leads to an act, a page or command, and a test, or says what is open."""

from __future__ import annotations

from typing import Any

import pytest
from scripts import traceability


def test_every_cell_is_filled_with_what_exists_or_named_open() -> None:
    assert list(traceability.faults()) == []


def test_the_page_is_up_to_date() -> None:
    committed = traceability.PAGE.read_text("utf-8")
    assert committed == traceability.page(), "next: python scripts/traceability.py"


@pytest.mark.parametrize(
    "clause",
    ["2(c)(iii)", "2(d)", "3(a)", "3(b)(i)", "3(b)(ii)", "3(b)(iii)", "3(c)"],
)
def test_the_clause_is_there(clause: str) -> None:
    assert clause in {row["id"] for part in traceability.parts() for row in part["clause"]}


def test_every_field_of_the_dossier_is_traced() -> None:
    named = {
        reference.removeprefix("field:")
        for part in traceability.parts()
        for row in part["clause"]
        for reference in row["act"]
        if reference.startswith("field:")
    }
    fields = {field.id for field in traceability.fields_of(traceability.default_pack())}
    assert named == fields


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("act", None),
        ("act", []),
        ("act", ""),
        ("act", "open: "),
        ("act", ["code:vedette.engagement.acts.NO_SUCH_TABLE"]),
        ("act", ["code:vedette.no_such_room.thing"]),
        ("act", ["pack:window.no_such_rule"]),
        ("act", ["field:no-such-field"]),
        ("act", ["message:no.such"]),
        ("act", ["command:vedette plan"]),
        ("place", ["command:vedette no-such"]),
        ("place", ["command:vedette plan no-such"]),
        ("place", ["page:/no/such/page/"]),
        ("place", ["api:POST /no-such"]),
        ("test", ["test:tests/docs/test_traceability.py::test_no_such"]),
        ("test", ["test:tests/no_such.py::test_no_such"]),
    ],
)
def test_the_check_finds_a_breach(cell: str, value: Any) -> None:
    assert list(traceability.cell_faults(value, cell)) != []
