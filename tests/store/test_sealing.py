"""Sealed columns: each is bound to an act that can be found again, and nothing writes past it."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection
from tests.services.flow import OfficeStory

from vedette.kernel.errors import OurFault
from vedette.kernel.ids import new_id
from vedette.kernel.sealing import PREFIX
from vedette.services.testing import Fixture
from vedette.store.models import Act, InMessage
from vedette.store.sealing import SealedField, sealed_places, unreadable
from vedette.store.tenancy import SYSTEM, scoped


def raw(table: str, column: str, key: str) -> str:
    with scoped(SYSTEM), connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE id = %s", [key])
        return str(cursor.fetchone()[0])


def test_every_sealed_column_is_found_by_its_act(office: Fixture) -> None:
    with scoped(SYSTEM):
        assert list(sealed_places(new_id("act"))) == []
    columns = [
        (model.__name__, f.name)
        for model in apps.get_app_config("store").get_models()
        for f in model._meta.concrete_fields
        if isinstance(f, SealedField)
    ]
    assert {("Act", "dossier"), ("InMessage", "envelope"), ("Run", "result")} <= set(columns)


def test_the_database_holds_sealed_text_and_the_row_reads(office: Fixture) -> None:
    act_id = OfficeStory.start(office).offer(note="said", dossier={"model-name": "Orion"})
    assert raw("store_act", "note", act_id).startswith(PREFIX)
    assert raw("store_act", "dossier", act_id).startswith(PREFIX)
    assert raw("store_act", "reason", act_id) == ""
    with scoped(SYSTEM):
        row = Act.objects.get(id=act_id)
        assert (row.note, row.dossier) == ("said", {"model-name": "Orion"})
        row.dossier["more"] = "changed in place"
        row.save()
        assert Act.objects.get(id=act_id).dossier["more"] == "changed in place"
        found = {(p.table, p.column) for p in sealed_places(act_id)}
    assert found == {("act", "note"), ("act", "dossier"), ("inmessage", "envelope")}


def test_without_its_key_a_value_is_empty_and_stays_as_it_was(office: Fixture) -> None:
    act_id = OfficeStory.start(office).offer(note="said")
    before = raw("store_act", "note", act_id)
    (office.here.folder / "keys" / "windows" / f"{act_id}.key").unlink()
    with scoped(SYSTEM):
        row = Act.objects.get(id=act_id)
        assert row.note == ""
        assert unreadable(row, "note")
        row.save()
    assert raw("store_act", "note", act_id) == before


def test_a_value_moved_to_another_row_does_not_open(office: Fixture) -> None:
    story = OfficeStory.start(office)
    one, two = story.offer(note="of one"), story.offer(note="of two")
    with scoped(SYSTEM), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE store_act SET note = (SELECT note FROM store_act WHERE id = %s) WHERE id = %s",
            [one, two],
        )
    with scoped(SYSTEM):
        assert Act.objects.get(id=two).note == ""


def test_an_update_cannot_write_past_the_seal(office: Fixture) -> None:
    act_id = OfficeStory.start(office).offer()
    with scoped(SYSTEM), pytest.raises(OurFault, match="past its seal"):
        Act.objects.filter(id=act_id).update(note="open")
    with scoped(SYSTEM), pytest.raises(OurFault, match="past its seal"):
        InMessage.objects.filter(thread=act_id).update(envelope="open")
