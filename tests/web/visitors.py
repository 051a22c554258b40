"""People who visit the portal in tests: signed in, of another tenant, signed out."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client

from vedette.services.testing import Fixture
from vedette.store.models import Membership, Person
from vedette.store.tenancy import SYSTEM, scoped


def visitor(fixture: Fixture, role: str, org: str = "", email: str = "") -> Client:
    """A client signed in as somebody with `role`, in the host organisation unless told."""
    with scoped(SYSTEM):
        address = email or f"{role}-{Person.objects.count()}@here.example"
        person: Any = Person.objects.create_user(address, f"A {role}", None)
        Membership.objects.create(person=person, org_id=org or fixture.here.org, role=role)
    client = Client()
    client.force_login(person)
    return client


def stranger(fixture: Fixture, kind: str) -> Client:
    """An administrator of another organisation on the same instance."""
    return visitor(fixture, "administrator", fixture.organisation("Elsewhere", kind).id)


def read(client: Client, url: str) -> str:
    """A page's text; the page must be there."""
    answer: HttpResponse = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code, answer.content[:2000])
    return answer.content.decode()


def send(client: Client, url: str, **values: Any) -> str:
    """Post a form that must be taken; return where it leads."""
    answer = client.post(url, values)
    assert answer.status_code == 302, (url, answer.status_code, answer.content.decode()[:4000])
    return str(answer.headers["Location"])


def refused(client: Client, url: str, **values: Any) -> str:
    """Post a form that must be shown again with what is wrong."""
    answer = client.post(url, values)
    assert answer.status_code == 422, (url, answer.status_code)
    return answer.content.decode()
