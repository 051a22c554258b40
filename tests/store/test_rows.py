"""Rows written by plain statements are those that `save` would write."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from vedette.kernel.ids import new_id
from vedette.kernel.sealing import PREFIX
from vedette.services import accounts
from vedette.services.acting import instance_actor
from vedette.services.testing import START, Fixture
from vedette.store import rows
from vedette.store.models import ApiToken, InMessage, Membership, Person, Schedule
from vedette.store.tenancy import SYSTEM, NoScope, Scope, scoped

PASSWORD = "correct horse battery"


def message(office: Fixture) -> InMessage:
    return InMessage(
        org_id=office.here.org,
        message_id=new_id("msg"),
        sender="a" * 64,
        type="engagement.offered",
        thread=new_id("act"),
        digest="sha256:" + "0" * 64,
        envelope='{"said": "\u00e9"}',
        state="waiting",
        unread=["mood"],
        received_at=START,
    )


def stored(row: Any) -> dict[str, Any]:
    found = type(row).objects.get(pk=row.pk)
    return {field.name: getattr(found, field.attname) for field in row._meta.concrete_fields}


def test_an_inserted_row_reads_as_a_saved_one(office: Fixture) -> None:
    with scoped(SYSTEM):
        inserted, saved = message(office), message(office)
        saved.message_id, saved.thread = new_id("msg"), inserted.thread
        rows.insert(inserted)
        saved.save()
        apart = {"id", "message_id"}
        told, expected = stored(inserted), stored(saved)
        assert {k: v for k, v in told.items() if k not in apart} == {
            k: v for k, v in expected.items() if k not in apart
        }
        assert told["id"] == inserted.pk != saved.pk
        planned = Schedule(
            name="x", org_id=office.here.org, job="j", arguments={"a": 1}, due_at=START
        )
        rows.insert(planned)
        assert stored(planned)["arguments"] == {"a": 1}


def test_what_is_sealed_is_sealed_here_too(office: Fixture) -> None:
    with scoped(SYSTEM), connection.cursor() as cursor:
        row = message(office)
        rows.insert(row)
        cursor.execute("SELECT envelope FROM store_inmessage WHERE id = %s", [row.pk])
        assert cursor.fetchone()[0].startswith(PREFIX)


def test_an_update_writes_the_named_columns_alone(office: Fixture) -> None:
    with scoped(SYSTEM):
        row = message(office)
        rows.insert(row)
        row.state, row.unread, row.reason = "handled", [], "not written"
        rows.update(row, "state", "unread")
        told = stored(row)
        assert (told["state"], told["unread"], told["reason"]) == ("handled", [], "")


def test_another_organisation_writes_neither(office: Fixture) -> None:
    with scoped(SYSTEM):
        row = message(office)
        rows.insert(row)
    with scoped(Scope("org-of-others")):
        for work in (lambda: rows.insert(message(office)), lambda: rows.update(row, "state")):
            with pytest.raises(NoScope):
                work()


def test_a_locked_row_is_the_one_that_a_query_finds(office: Fixture) -> None:
    with scoped(SYSTEM):
        row = message(office)
        row.save()
        found = rows.locked(InMessage, "message_id", row.message_id)
        assert found is not None
        assert not found._state.adding
        asked = InMessage.objects.get(pk=row.pk)
        for field in row._meta.concrete_fields:
            assert getattr(found, field.attname) == getattr(asked, field.attname)
        assert rows.locked(InMessage, "message_id", new_id("msg")) is None


def test_one_row_of_a_table_without_scopes_is_the_one_that_a_query_finds(office: Fixture) -> None:
    accounts.join(accounts.invite(instance_actor(), "x@test.example", "evaluator"), "X", PASSWORD)
    accounts.make_token("x@test.example", label="é", permissions=["bench:run:read"])
    for model in (ApiToken, Membership, Person):
        asked = model.objects.get()
        found = rows.one(model, "id", asked.pk)
        assert found is not None
        for field in asked._meta.concrete_fields:
            assert getattr(found, field.attname) == getattr(asked, field.attname)
        assert rows.one(model, "id", asked.pk + 1) is None
    with scoped(SYSTEM), pytest.raises(NoScope):
        rows.one(InMessage, "id", 1)
