"""The operator's page of matches: lists, marks, matching by hand."""

from __future__ import annotations

import pytest
from django.test import Client
from tests.services.advisories import CORRECTION
from tests.services.operators import OLD
from tests.services.running import run_jobs
from tests.web.test_pages_operator import client, house, only, org, take
from tests.web.visitors import read, send, stranger, visitor

from vedette.services.testing import Fixture

__all__ = ["client", "house", "org"]


MATCHES = (
    "/matches/",
    "/matches/?by=product",
    "/matches/?by=asset",
    f"/matches/?by=document&of={CORRECTION}",
    f"/matches/?by=asset&in=plant&of={OLD}",
)


@pytest.mark.parametrize("page", MATCHES)
def test_matches_by_document_product_and_asset(
    house: Fixture, client: Client, org: str, page: str
) -> None:
    take(client, OLD)
    text = read(client, page)
    for part in ("ujson", "plant", CORRECTION) if "of=" in page else ("not remediated",):
        assert part in text, part
    assert "Match" in text
    assert "again</button>" not in read(visitor(house, "reader", org), page)
    assert visitor(house, "vendor", org).get(page).status_code == 403
    assert Client().get(page).headers["Location"].startswith("/accounts/login/")
    for other in (stranger(house, "operator"), visitor(house, "coordinator")):
        assert "plant" not in read(other, page.partition("&in=")[0])
    assert "Nothing fits" in read(client, "/matches/?text=elsewhere")


def test_assets_are_marked_and_matched_again_on_their_page(
    house: Fixture, client: Client, org: str
) -> None:
    take(client, OLD)
    page = f"/matches/?by=document&of={CORRECTION}"
    asset = f"{only().id} {OLD}"
    at = f"/matches/mark/?by=document&of={CORRECTION}"
    assert send(client, at, asset=asset, status="done") == page
    text = read(client, page)
    assert "1 marked: remediation done." in text
    assert "marked for this asset" in text
    send(client, at, asset=asset, status="")
    assert "by the notice&#x27;s answer" in read(client, page) or (
        "by the notice's answer" in read(client, page)
    )
    send(client, at, status="done")
    assert "choose the assets first" in read(client, page)
    for values in ({"document": CORRECTION}, {"inventory-asset": f"in=plant&of={OLD}"}):
        send(client, f"/matches/again/?by=document&of={CORRECTION}", **values)
        assert "1 are being matched" in read(client, page)
        assert run_jobs() == 1
    reader, other = visitor(house, "reader", org), stranger(house, "operator")
    for url in ("/matches/mark/", "/matches/again/"):
        assert reader.post(url, {"asset": asset, "status": "done"}).status_code == 403
        assert client.get(url).status_code == 405
    assert other.post("/matches/mark/", {"asset": asset, "status": "done"}).status_code == 404
    assert other.post("/matches/again/", {"inventory-asset": "in=plant&of=x"}).status_code == 404
    answer = Client().post("/matches/mark/", {"asset": asset})
    assert answer.headers["Location"].startswith("/accounts/login/")
