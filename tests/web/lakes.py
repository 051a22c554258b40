"""A clearinghouse with a public index, and an operator's person at its portal."""

from __future__ import annotations

import pytest
from django.test import Client
from tests.services.advisories import public_record, publish_correction
from tests.services.operators import FACTS, build
from tests.web.visitors import visitor

from vedette.services import sources
from vedette.services.testing import Fixture


@pytest.fixture
def house(clearinghouse: Fixture) -> Fixture:
    sources.import_advisories(clearinghouse.person("coordinator"), public_record(), "public")
    publish_correction(clearinghouse, priority=FACTS)
    build(clearinghouse)
    return clearinghouse


@pytest.fixture
def org(house: Fixture) -> str:
    return str(house.organisation("Lake Water", "operator").id)


@pytest.fixture
def client(house: Fixture, org: str) -> Client:
    return visitor(house, "operator", org)
