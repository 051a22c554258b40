"""An instance of each profile in the test's own database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vedette.kernel.permissions import Profile
from vedette.services.testing import Fixture, instance


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
