"""What all tests share: an instance of each profile in the test's own database, the real data
folder, slow runs, hypothesis without deadlines.

pyproject.toml adds the rest: no sockets beyond loopback, random order.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.handlers.base import BaseHandler
from django.test import override_settings
from django.test.client import ClientHandler
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

from vedette.kernel.permissions import Profile
from vedette.services.testing import Fixture, instance

ROOT = Path(__file__).resolve().parent.parent

# workers side by side use all cores already: threads of numpy's would wait for one another
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# where a plugin has loaded numpy before this line, its threads are there already
threadpool_limits(1, "blas")

# what is imported and collected stays to the end: no collection need go through it again and again
gc.disable()

# a loaded machine makes examples slow, which says nothing about the code
settings.register_profile(
    "vedette", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("vedette")


def real_data() -> Path:
    """The folder of real data, next to the checkout unless VEDETTE_DATA names another."""
    return Path(os.environ.get("VEDETTE_DATA") or ROOT.parent / "shared" / "data")


# begun first, so that no worker waits at the end for another's long file
LONGEST = (
    "tests/browser/test_demo_walk.py",
    "tests/web/test_api_contract.py",
    "tests/durability/test_kill.py",
    "tests/docs/test_readme.py",
    "tests/web/test_access_matrix.py",
    "tests/cli/test_instance.py",
    "tests/store/test_creation.py",
    "tests/services/test_no_gate.py",
    "tests/services/test_sealed_material.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the slow tests, too")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=_place)
    if not config.getoption("--long"):
        again = ["any_database"] if os.environ.get("VEDETTE_TEST_DATABASE") else []
        left = ("long", *again)
        slow = [item for item in items if any(map(item.get_closest_marker, left))]
        if slow:
            config.hook.pytest_deselected(items=slow)
            items[:] = [item for item in items if item not in set(slow)]
    if not real_data().is_dir():
        absent = pytest.mark.skip(reason="no real data: VEDETTE_DATA names no folder")
        for item in items:
            if item.get_closest_marker("data"):
                item.add_marker(absent)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


def _place(item: pytest.Item) -> int:
    file = item.nodeid.partition("::")[0]
    return LONGEST.index(file) if file in LONGEST else len(LONGEST)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data; the test that asks for it is skipped where there is none."""
    folder = real_data()
    if not folder.is_dir():
        pytest.skip("no real data: VEDETTE_DATA names no folder")
    return folder


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


@pytest.fixture(scope="session", autouse=True)
def _light_passwords() -> Iterator[None]:
    """Django's advice for tests: no hash that is slow on purpose."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_chain_of_middleware() -> Iterator[None]:
    """Every client asks through one chain of middleware, as every visitor of a server does.

    No answer keeps a copy of the context of each template: tests read what a visitor gets.
    """
    chain = BaseHandler()

    def share(handler: ClientHandler) -> None:
        if chain._middleware_chain is None:
            chain.load_middleware()
        handler._middleware_chain = chain._middleware_chain

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientHandler, "load_middleware", share)
        patch.setattr("django.test.client.store_rendered_templates", lambda *_, **__: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_cache_of_builds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Instances of one process keep the builds of shipped suites together: a build's name is the
    digest of what went in, and it is checked before each use."""
    folder = tmp_path_factory.mktemp("builds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vedette.services.here.Here.cache_dir", folder)
        yield
