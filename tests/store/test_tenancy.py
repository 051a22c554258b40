"""Tenants are apart: one declaration, held by the managers and by the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.models import ForeignKey

from vedette.kernel.permissions import Profile
from vedette.services.testing import START, Fixture, instance
from vedette.store.models import Case, CaseNote, CaseParticipant, Finding, Inventory, LedgerEntry
from vedette.store.security import tables
from vedette.store.tenancy import SYSTEM, NoScope, Scope, Table, Tenancy, scoped


@pytest.fixture
def house(db: None, tmp_path: Path) -> Iterator[Fixture]:
    with instance(Profile.CLEARINGHOUSE, tmp_path) as made:
        yield made


def test_every_table_declares_its_tenancy() -> None:
    for model in apps.get_app_config("store").get_models():
        assert issubclass(model, Table), f"{model.__name__} is no Table"
        rule = model.__dict__.get("tenancy")
        assert isinstance(rule, Tenancy), f"{model.__name__} declares no tenancy"
        assert rule.owner or rule.why, f"{model.__name__} is unscoped without a reason"
        if rule.owner:
            assert model._meta.base_manager_name == "objects", f"{model.__name__} leaks"


@pytest.mark.parametrize("model", [m for m in tables() if m.tenancy.owner])
def test_no_scope_no_rows(model: type[Table]) -> None:
    with pytest.raises(NoScope):
        model.objects.count()


def test_an_organisation_sees_its_own_rows_alone(house: Fixture) -> None:
    one, two = house.organisation("One", "operator"), house.organisation("Two", "operator")
    for org in (one, two):
        with scoped(Scope(org.id)):
            Inventory(org=org, name=org.name, data=b"x", digest="d", taken_at=START).save()
    with scoped(Scope(one.id)):
        assert [row.name for row in Inventory.objects.all()] == ["One"]
        assert not Inventory.objects.filter(name="Two").exists()
    with scoped(Scope(house.here.org, host=True)):
        assert Inventory.objects.count() == 0, "an inventory is its owner's, not the host's"
    with scoped(SYSTEM):
        assert Inventory.objects.count() == 2


def test_nobody_writes_for_another(house: Fixture) -> None:
    one, two = house.organisation("One", "operator"), house.organisation("Two", "operator")
    row = Inventory(org=two, name="x", data=b"x", digest="d", taken_at=START)
    with scoped(Scope(one.id)), pytest.raises(NoScope):
        row.save()
    with scoped(Scope(one.id)), pytest.raises(NoScope):
        Inventory.objects.bulk_create([row])
    with scoped(Scope(one.id)), pytest.raises(NoScope):
        Inventory.objects.create(org=two, name="x", data=b"x", digest="d", taken_at=START)


def test_participants_see_the_case_and_its_notes(house: Fixture) -> None:
    vendor, other = house.organisation("Vendor", "vendor"), house.organisation("Other", "vendor")
    with scoped(Scope(house.here.org, host=True)):
        case = Case(org_id=house.here.org, title="a case", opened_at=START)
        case.save()
        CaseParticipant(case=case, org=vendor, role="vendor", invited_at=START).save()
        CaseNote(case=case, org_id=house.here.org, text="hello", at=START).save()
    with scoped(Scope(vendor.id)):
        assert Case.objects.get().title == "a case"
        assert CaseNote.objects.get().text == "hello"
    with scoped(Scope(other.id)):
        assert not Case.objects.exists()
        assert not CaseNote.objects.exists()


def test_relations_do_not_leak(house: Fixture) -> None:
    finder, other = house.organisation("Finder", "finder"), house.organisation("Other", "finder")
    with scoped(Scope(finder.id)):
        first = Finding(org=finder, key="1", title="first", received_at=START)
        first.save()
    with scoped(Scope(other.id)):
        second = Finding(org=other, key="2", title="second", received_at=START)
        second.duplicate_of_id = first.id
        second.save()
        again = Finding.objects.get(pk=second.pk)
        with pytest.raises(Finding.DoesNotExist):
            _ = again.duplicate_of.title


def test_the_ledger_is_append_only(house: Fixture) -> None:
    for statement in ("UPDATE store_ledgerentry SET org = 'x'", "DELETE FROM store_ledgerentry"):
        with (
            scoped(SYSTEM),
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    with scoped(SYSTEM):
        assert LedgerEntry.objects.exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="row-level security is PostgreSQL's")
def test_the_database_holds_without_the_managers(house: Fixture) -> None:
    """A query that passes no manager still sees only its own organisation's rows."""
    one, two = house.organisation("One", "operator"), house.organisation("Two", "operator")
    for org in (one, two):
        with scoped(Scope(org.id)):
            Inventory(org=org, name=org.name, data=b"x", digest="d", taken_at=START).save()
    with scoped(Scope(one.id)), connection.cursor() as cursor:
        cursor.execute("SELECT name FROM store_inventory")
        assert cursor.fetchall() == [("One",)]
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            cursor.execute("UPDATE store_inventory SET org_id = %s", [two.id])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM store_inventory")
        assert cursor.fetchone() == (0,), "outside any scope the database shows nothing"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="row-level security is PostgreSQL's")
def test_every_scoped_table_has_forced_row_level_security(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
        secured = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
    assert {m._meta.db_table for m in tables() if m.tenancy.owner} <= secured


def test_foreign_keys_never_cascade_out_of_a_ledger() -> None:
    for model in tables():
        if getattr(model, "append_only", False):
            for field in model._meta.concrete_fields:
                assert not isinstance(
                    field, ForeignKey
                ) or field.remote_field.on_delete.__name__ == ("PROTECT")
