"""A clearinghouse with the public record of ujson, and the operators that it hosts."""

from __future__ import annotations

import pytest
from tests.services.advisories import CORRECTION, public_record, sbom
from tests.services.running import run_jobs

from vedette.services import answers, index, inventories, sources
from vedette.services.acting import Actor
from vedette.services.testing import Fixture
from vedette.store.models import Inventory, LedgerEntry
from vedette.store.tenancy import SYSTEM, scoped

OLD, FIXED = "pkg:pypi/ujson@5.1.0", "pkg:pypi/ujson@5.2.0"
FACTS = {"kev": False, "automatable": True, "impact": "partial"}


@pytest.fixture
def house(clearinghouse: Fixture) -> Fixture:
    sources.import_advisories(clearinghouse.person("coordinator"), public_record(), "public")
    return clearinghouse


def hosted(house: Fixture, name: str = "Utility") -> Actor:
    return house.person("operator", house.organisation(name, "operator").id)


def build(house: Fixture) -> None:
    index.build_index(house.person("coordinator"))
    run_jobs()


def take(actor: Actor, *purls: str, name: str = "plant", exposed: bool = False) -> Inventory:
    row = inventories.take_inventory(actor, name, sbom(*purls), exposed=exposed)
    run_jobs()
    return row


def events(object_id: str) -> list[str]:
    with scoped(SYSTEM):
        rows = LedgerEntry.objects.filter(object_id=object_id).order_by("seq")
        return [row.event for row in rows]


def answers_of(house: Fixture) -> dict[str, str]:
    view = answers.answers_for(house.person("coordinator"), CORRECTION)
    return {row["operator"]: row["state"] for row in view["operators"]}
