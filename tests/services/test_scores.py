"""EPSS scores: taken whole, shown beside a notice, and they move nothing."""

from __future__ import annotations

import gzip

import pytest
from django.test import Client
from tests.services.advisories import CVE, publish_correction
from tests.services.operators import FACTS, OLD, build, hosted, house, take
from tests.web import test_api_notices as api
from tests.web.visitors import read, visitor

from vedette.kernel.errors import BadInput, Forbidden, NotFound
from vedette.services import notices, scores
from vedette.services.testing import Fixture

__all__ = ["house"]

CSV = f"#model_version:v2026\ncve,epss,percentile\n{CVE},0.97312,0.99\nCVE-2026-9999,0.5,0.9\n"


def test_a_score_is_shown_and_moves_nothing(house: Fixture) -> None:
    actor = hosted(house)
    publish_correction(house, priority=FACTS)
    build(house)
    take(actor, OLD)
    (before,) = notices.notices(actor)
    assert notices.notice_view(actor, before["id"])["epss"] is None
    coordinator = house.person("coordinator")
    assert scores.import_epss(coordinator, gzip.compress(CSV.encode())) == 2
    assert notices.notices(actor) == [before]
    assert notices.notice_view(actor, before["id"])["epss"] == 0.97312
    client = visitor(house, "operator", actor.org)
    assert "97.3%" in read(client, "/notices/")
    assert "97.3%" in read(client, f"/notices/{before['id']}/")
    newer = "cve,epss,percentile\nCVE-2026-9999,0.5,0.9\n"
    assert scores.import_epss(coordinator, newer.encode()) == 1
    assert "no score is known here" in read(client, f"/notices/{before['id']}/")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"cve,score\n",
        b"cve,epss\nCVE-1\n",
        b"cve,epss\nCVE-2026-1,2\n",
        b"\x1f\x8bx",
        b"[" * 200_000,
    ],
)
def test_what_is_no_score_is_refused_and_the_ones_here_stay(house: Fixture, data: bytes) -> None:
    coordinator = house.person("coordinator")
    scores.import_epss(coordinator, CSV.encode())
    with pytest.raises(BadInput, match="scores"):
        scores.import_epss(coordinator, data)
    assert scores.ExploitScore.objects.count() == 2


def test_who_may_hand_them_in(house: Fixture) -> None:
    with pytest.raises(NotFound):
        scores.import_epss(hosted(house), CSV.encode())
    with pytest.raises(Forbidden):
        scores.import_epss(house.person("reader"), CSV.encode())
    assert api.Api("reader").post("/index/epss", CSV.encode()).status_code == 403
    assert api.Api("coordinator").post("/index/epss", CSV.encode()).json() == {"scores": 2}
    assert Client().post("/api/v1/index/epss").status_code == 401


def test_an_operator_takes_them_on_its_own_instance(operator: Fixture) -> None:
    assert scores.import_epss(operator.person("operator"), CSV.encode()) == 2


def test_a_laboratory_has_none(lab: Fixture) -> None:
    with pytest.raises(NotFound):
        scores.import_epss(lab.person("administrator"), CSV.encode())
