"""A certified suite for the tests of services."""

from __future__ import annotations

import pytest
from tests.services.sealed_suites import Certified

from vedette.runner.certify import certify
from vedette.runner.scaffold import new_suite


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """A new suite of one item, certified by execution; nobody changes its folder."""
    folder = tmp_path_factory.mktemp("own")
    suite = new_suite(folder / "suite")
    return suite, certify(suite, cache_dir=folder / "builds", resist=1, chance=1)
