"""Products for typed lists: prepared by a job, and then no advisory is read for a list."""

from __future__ import annotations

import pytest
from tests.services.advisories import osv, publish
from tests.services.operators import build, hosted, house
from tests.services.running import run_jobs
from tests.services.test_rematching import made, put

from vedette.matching import candidates
from vedette.matching.candidates import Known
from vedette.matching.index import Index
from vedette.services import products, typed
from vedette.services.testing import Fixture
from vedette.store.models import KnownProducts
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["house"]


def shown(house: Fixture, words: str) -> list[str]:
    ((_, found),) = typed.choices(hosted(house, f"Typing {words}"), words)
    return [candidate.product for candidate in found]


def test_a_list_reads_what_was_prepared_and_no_advisory(
    house: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(house, osv("x_vedette-1", "2.0", package="pumpkin"))
    build(house)
    products._known.clear()

    def none(self: Index) -> None:
        raise AssertionError("an advisory was read in a request")

    monkeypatch.setattr(Index, "__iter__", none)
    assert shown(house, "pumpkin 1.0") == ["pumpkin"]
    monkeypatch.undo()


def test_before_the_job_ran_the_index_itself_is_read(house: Fixture) -> None:
    put([made("x_a", "2", package="gearbox")])
    assert shown(house, "gearbox 1") == ["gearbox"]
    run_jobs()
    products._known.clear()
    assert shown(house, "gearbox 2") == ["gearbox"]


def test_only_the_products_of_the_newest_index_are_kept(house: Fixture) -> None:
    for name in ("one", "two", "three"):
        put([made("x_a", "2", package=name)])
        run_jobs()
    with scoped(SYSTEM):
        (row,) = KnownProducts.objects.all()
    assert [name for _, _, name, _ in row.rows] == [["PyPI", "three", "pkg:pypi/three"]]
    assert shown(house, "two 1") == []


def test_several_sets_are_known_as_one() -> None:
    first, second = made("x_a", "2", package="one"), made("x_b", "2", package="one")
    both = Known.of([*candidates.prepare([first]), *candidates.prepare([second])])
    assert both.candidates("one") == Known([first, second]).candidates("one")
