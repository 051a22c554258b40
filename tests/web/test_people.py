"""People: who belongs here, invitations, organisations on a clearinghouse's portal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client

from vedette.kernel.errors import Forbidden
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Profile
from vedette.services import accounts
from vedette.services.acting import instance_actor
from vedette.services.here import use
from vedette.services.testing import Fixture, instance
from vedette.store.models import LedgerEntry, Organisation
from vedette.store.tenancy import SYSTEM, scoped


@pytest.fixture
def house(db: None, tmp_path: Path) -> Iterator[Fixture]:
    with instance(Profile.CLEARINGHOUSE, tmp_path) as made:
        yield made


def signed_in(role: str, org: str = "") -> Client:
    code = accounts.invite(instance_actor(), f"{role}{org}@x.example", role, org)
    client = Client()
    client.force_login(
        accounts.join(code, role, "correct horse battery"),
        "allauth.account.auth_backends.AuthenticationBackend",
    )
    return client


def test_an_administrator_adds_an_organisation_and_its_first_person(house: Fixture) -> None:
    client = signed_in("administrator")
    page = client.get("/people/").content.decode()
    assert "Add an organisation" in page
    given = {"name": "Acme Pumps", "kind": "vendor", "first": "psirt@acme.example", "add": "yes"}
    shown = client.post("/people/", given).content.decode()
    link = re.search(r"/welcome/[^/\s<\"]+/", shown)
    assert link
    with scoped(SYSTEM):
        assert Organisation.objects.get(name="Acme Pumps").kind == "vendor"
    assert "Acme Pumps" in Client().get(link[0]).content.decode()
    again = client.post("/people/", given).content.decode()
    assert "is here already" in again


def test_inviting_within_the_own_organisation(house: Fixture) -> None:
    client = signed_in("administrator")
    shown = client.post("/people/", {"email": "new@x.example", "role": "coordinator"})
    assert "/welcome/" in shown.content.decode()
    wrong = client.post("/people/", {"email": "nonsense", "role": "coordinator"})
    assert "/welcome/" not in wrong.content.decode()


def test_who_may(house: Fixture) -> None:
    assert signed_in("coordinator").get("/people/").status_code == 403
    assert Client().get("/people/").status_code == 302
    vendor = house.organisation("Vendor", "vendor")
    hosted = signed_in("administrator", vendor.id)
    page = hosted.get("/people/").content.decode()
    assert "Add an organisation" not in page
    hosted.post(
        "/people/", {"name": "Sneaky", "kind": "vendor", "first": "a@b.example", "add": "1"}
    )
    with scoped(SYSTEM):
        assert not Organisation.objects.filter(name="Sneaky").exists()


def test_how_far_somebody_reads(office: Fixture) -> None:
    client, other = signed_in("administrator"), signed_in("reviewing-officer")
    person = accounts.people(instance_actor())[1]
    who = {"member": f"{person.person.email} {person.org_id}"}
    assert "TLP:RED" in client.get("/people/").content.decode()
    told = client.post("/people/reach/", {**who, "marking": "SECRET//TLP:RED"})
    assert told.status_code == 422
    assert "bove this instance" in told.content.decode()
    with use(replace(office.here, ceiling=Marking.parse("SECRET//TLP:RED"))):
        told = client.post("/people/reach/", {**who, "marking": "SECRET//TLP:RED"})
    assert told.status_code == 302
    assert "SECRET//TLP:RED" in client.get("/people/").content.decode()
    found = accounts.actor_of(person.person)
    assert found is not None
    assert found.clearance == "SECRET//TLP:RED"
    refused = client.post("/people/reach/", {**who, "marking": "very"})
    assert "can&#x27;t be read" in refused.content.decode()
    own = accounts.people(instance_actor())[0]
    mine = {"member": f"{own.person.email} {own.org_id}", "marking": "TLP:AMBER"}
    assert "obody sets how far they read" in client.post("/people/reach/", mine).content.decode()
    assert other.post("/people/reach/", mine).status_code == 403
    assert client.get("/people/reach/").status_code == 405
    org = accounts.add_organisation(instance_actor(), "Another Office", "office")
    guest = signed_in("administrator", org.id)
    theirs = guest.post("/people/reach/", {**who, "marking": "TLP:CLEAR"})
    assert theirs.status_code == 422, "another organisation's people are not theirs to choose"
    with pytest.raises(Forbidden):
        accounts.set_reach(office.person("administrator", org.id), own.person.email, "TLP:CLEAR")
    with scoped(SYSTEM):
        (entry,) = LedgerEntry.objects.filter(event="instance:reach:set")
    assert entry.object_id == person.org_id
