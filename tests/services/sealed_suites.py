"""Two keyholders, and a suite that they unseal."""

from __future__ import annotations

from typing import Any

from vedette.bench.suites import Suite
from vedette.runner.certify import Certificate
from vedette.services import keyholders, two_person, unsealing
from vedette.services.acting import Actor, member
from vedette.services.testing import Fixture
from vedette.store.models import TakenSuite

Certified = tuple[Suite, list[Certificate]]
Holders = list[tuple[Actor, str]]


def two_holders(office: Fixture, names: tuple[str, ...] = ("Ada", "Ben")) -> Holders:
    """People of the office who are keyholders, each with their code."""
    people = [member(office.here.org, name, "evaluator", host=True) for name in names]
    return [(person, keyholders.become(person)) for person in people]


def unseal(row: TakenSuite, holders: Holders) -> Any:
    """Unseal a suite by the first two."""
    (first, code), (second, other) = holders[:2]
    asked = unsealing.ask_unsealing(first, row.id, code, "for the next run")
    return two_person.second(second, asked.id, other)[1]
