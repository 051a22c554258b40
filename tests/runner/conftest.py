"""One cache of builds for all tests of the runner."""

from pathlib import Path

import pytest

from vedette.bench.suites import Suite, find_suite


@pytest.fixture(scope="session")
def builds(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("builds")


@pytest.fixture(scope="session")
def daemons() -> Suite:
    return find_suite("daemons")
