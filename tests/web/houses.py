"""A clearinghouse with a case, its vendor and its finder, for the tests of its pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from tests.services.coordination import Executions, opened
from tests.web.visitors import visitor

from vedette.services import cases
from vedette.services.acting import Actor
from vedette.services.testing import Fixture
from vedette.store.models import Case, Finding, Organisation
from vedette.store.tenancy import SYSTEM, scoped


@dataclass
class House:
    """A clearinghouse with a case, its vendor and its finder."""

    fixture: Fixture
    case: Case
    vendor: Organisation
    finder: Organisation
    coordinator: Client

    def acting(self, role: str, org: Organisation | None = None) -> Actor:
        return self.fixture.person(role, org.id if org else "")

    def party(self, name: str, role: str = "vendor", **terms: Any) -> Organisation:
        org = self.fixture.organisation(name, role)
        cases.invite_participant(self.acting("coordinator"), self.case.id, org.id, role, **terms)
        return org

    @property
    def at(self) -> str:
        return f"/cases/{self.case.id}/"


@pytest.fixture
def house(clearinghouse: Fixture, executions: Executions) -> House:
    finder = clearinghouse.organisation("Tern Labs", "finder")
    case = opened(clearinghouse)
    vendor = clearinghouse.organisation("Norrvik", "vendor")
    coordinator = clearinghouse.person("coordinator")
    cases.invite_participant(
        coordinator,
        case.id,
        vendor.id,
        "vendor",
        terms="Ninety days, please.",
        zone="Europe/Oslo",
        days={"disclosure_days": 90},
    )
    return House(clearinghouse, case, vendor, finder, visitor(clearinghouse, "coordinator"))


def finding_of(house: House) -> Finding:
    with scoped(SYSTEM):
        row: Finding = Finding.objects.get(case=house.case)
    return row


def status_of(client: Client, url: str) -> int:
    return client.get(url).status_code
