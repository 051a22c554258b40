"""An instance of each profile in the test's own database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.services.sealed_suites import Certified

from vedette.kernel.permissions import Profile
from vedette.runner.certify import certify
from vedette.runner.scaffold import new_suite
from vedette.services.testing import Fixture, instance


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """A new suite of one item, certified by execution; nobody changes its folder."""
    folder = tmp_path_factory.mktemp("own")
    suite = new_suite(folder / "suite")
    return suite, certify(suite, cache_dir=folder / "builds", resist=1, chance=1)


@pytest.fixture
def lab(db: None, tmp_path: Path) -> Iterator[Fixture]:
    with instance(Profile.LAB, tmp_path) as made:
        yield made


@pytest.fixture
def office(db: None, tmp_path: Path) -> Iterator[Fixture]:
    with instance(Profile.OFFICE, tmp_path) as made:
        yield made


@pytest.fixture
def clearinghouse(db: None, tmp_path: Path) -> Iterator[Fixture]:
    with instance(Profile.CLEARINGHOUSE, tmp_path) as made:
        yield made


@pytest.fixture
def operator(db: None, tmp_path: Path) -> Iterator[Fixture]:
    with instance(Profile.OPERATOR, tmp_path) as made:
        yield made
