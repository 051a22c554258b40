"""No word of leave to proceed in the rooms of the engagement and in what people read of them.

Named exceptions: TLP:CLEAR, the clearinghouse, a person's permission, the licence of a font or
package (SPDX), and rejected input: rows of an import that could not be taken.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import vedette
from vedette.engagement.access import Reason
from vedette.engagement.acts import ACTS, ActKind, ActState
from vedette.engagement.custody import CUSTODY
from vedette.engagement.stances import STANCES
from vedette.engagement.window import WINDOW, WindowState
from vedette.exchange.fields import Choice as Words
from vedette.exchange.fields import Field, ListOf, Record
from vedette.exchange.messages import TABLE
from vedette.kernel.events import Event
from vedette.kernel.packs import default_pack
from vedette.kernel.permissions import ROLES, Permission
from vedette.readiness.decision import Choice

FORBIDDEN = re.compile(
    r"approv|\bden(?:y|ie[sd]|ying|ials?)\b|reject|permit|permissi(?:ble|ve)"
    r"|licen[sc]|preclear|\bclear(?:s|ed|ing|ance|ances)?\b",
    re.IGNORECASE,
)
ALLOWED = re.compile(r"TLP[:_]CLEAR|\bCLEAR\b|clearinghouse", re.IGNORECASE)
ROOMS = ("bench", "engagement", "exchange", "readiness")
REJECTED_INPUT = "web/api/findings.py"
SOURCE = Path(vedette.__file__).parent


def offends(text: str) -> bool:
    return bool(FORBIDDEN.search(ALLOWED.sub("", text.replace("_", " "))))


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from texts(item)


@pytest.mark.parametrize(
    "text",
    [
        *("Approve", "approval", "denied", "Deny", "rejects", "permitted", "license", "licence"),
        *("pre-clearance", "cleared", "preclearance", "is_cleared"),
    ],
)
def test_the_check_finds_a_breach(text: str) -> None:
    assert offends(text)


@pytest.mark.parametrize(
    "text", ["TLP:CLEAR", "clearinghouse", "permission", "unclear", "identity"]
)
def test_the_check_knows_its_exceptions(text: str) -> None:
    assert not offends(text)


def test_enums_and_tables_use_no_such_word() -> None:
    words = [
        str(word) for enum in (ActKind, ActState, WindowState, Choice, Reason) for word in enum
    ]
    words += [
        text
        for table in (ACTS, CUSTODY, STANCES, WINDOW)
        for row in table.rows
        for text in (row.trigger, row.label)
    ]
    words += [str(event) for event in Event] + [str(name) for name in Permission] + list(ROLES)
    assert [word for word in words if offends(word)] == []


def test_the_pack_uses_no_such_word() -> None:
    assert [text for text in texts(default_pack().rules) if offends(text)] == []


@pytest.mark.parametrize("room", ROOMS)
def test_the_source_uses_no_such_word(room: str) -> None:
    """Names, messages, docstrings and comments alike."""
    found = []
    for path in sorted((SOURCE / room).glob("*.py")):
        tokens = tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline)
        kinds = (tokenize.NAME, tokenize.STRING, tokenize.COMMENT)
        found += [
            f"{path.name}: {t.string}" for t in tokens if t.type in kinds and offends(t.string)
        ]
    assert found == []


def words_of(field: Field) -> Iterator[str]:
    if isinstance(field, Record):
        yield from field.fields
        for inner in field.fields.values():
            yield from words_of(inner)
    elif isinstance(field, ListOf):
        yield from words_of(field.item)
    elif isinstance(field, Words):
        yield from field.words


def test_no_message_uses_such_a_word() -> None:
    said = [text for row in TABLE for text in (row.name, row.purpose, *words_of(row.body))]
    assert len(said) > 100
    assert [text for text in said if offends(text)] == []


def test_no_page_uses_such_a_word() -> None:
    """Templates, and the labels and sentences of pages and API."""
    pages = [
        path
        for path in sorted((SOURCE / "web").rglob("*"))
        if path.suffix in (".html", ".py") and path.relative_to(SOURCE).as_posix() != REJECTED_INPUT
    ]
    assert len(pages) > 80
    found = [
        f"{path.name}:{number}: {line.strip()}"
        for path in pages
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if offends(line)
    ]
    assert found == []
