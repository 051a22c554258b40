"""The one table of what crosses, field by field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.exchange.bodies import body_of

from vedette.exchange import fields
from vedette.exchange.messages import ACT_KINDS, BY_NAME, PURPOSES, TABLE
from vedette.exchange.rows import MessageType
from vedette.kernel.canonical import canonical
from vedette.kernel.errors import BadInput
from vedette.kernel.packs import default_pack
from vedette.kernel.permissions import Profile

each_type = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)


def names_in(record: fields.Record) -> Iterator[str]:
    for name, field in record.fields.items():
        yield name
        inner = field.item if isinstance(field, fields.ListOf) else field
        if isinstance(inner, fields.Record):
            yield from names_in(inner)


def test_names_are_unique_and_in_order() -> None:
    assert [row.name for row in TABLE] == sorted(BY_NAME)


@each_type
def test_every_row_says_who_and_what_for(row: MessageType) -> None:
    assert row.senders
    assert row.receivers
    assert row.purpose.endswith(".")
    assert row.senders | row.receivers <= set(Profile)


@each_type
@settings(max_examples=25)
@given(data=st.data())
def test_generated_bodies_pass_and_any_other_field_does_not(
    row: MessageType, data: st.DataObject
) -> None:
    body = data.draw(body_of(row))
    row.body.check(body, "body")
    canonical(body)
    with pytest.raises(BadInput, match="may not cross"):
        row.body.check({**body, "partner_release": "2027-01-11"}, "body")
    for name, field in row.body.fields.items():
        if field.required:
            rest = {key: value for key, value in body.items() if key != name}
            with pytest.raises(BadInput, match=re.escape(f"body.{name}: missing")):
                row.body.check(rest, "body")


@each_type
@pytest.mark.parametrize("wrong", [3.5, b"bytes", {"a": {1: 2}}, [[]], "\ud800"])
def test_a_wrong_value_names_its_field(row: MessageType, wrong: Any) -> None:
    for name, field in row.body.fields.items():
        if isinstance(field, fields.Document | fields.TextMap) and isinstance(wrong, dict):
            continue
        if isinstance(field, fields.Text) and isinstance(wrong, str) and not field.pattern:
            continue
        with pytest.raises(BadInput, match=f"body.{name}|canonical|text|characters"):
            fields.Record({name: field}).check({name: wrong}, "body")


def test_no_message_carries_a_release_date() -> None:
    """A window names its own two hours; nothing names, sets or moves a release."""
    for row in TABLE:
        for name in names_in(row.body):
            assert "release" not in name, f"{row.name}.{name}"
    times = {
        (row.name, name)
        for row in TABLE
        for name, field in row.body.fields.items()
        if isinstance(field, fields.Time)
    }
    assert {name for name, _ in times if name.startswith("engagement")} == {"engagement.offered"}
    assert BY_NAME["engagement.offered"].senders == {Profile.LAB}


def test_only_the_lab_offers_and_nothing_from_others_reaches_its_plan() -> None:
    for row in TABLE:
        if Profile.LAB in row.receivers:
            assert not {"opens", "closes"} & set(row.body.fields), row.name


def test_the_table_speaks_the_packs_words() -> None:
    pack = default_pack()
    assert [act["id"] for act in pack.records("engagement", "acts")] == list(ACT_KINDS)
    assert [p["id"] for p in pack.records("engagement", "purposes")] == list(PURPOSES)
