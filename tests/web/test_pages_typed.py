"""A typed list on its pages: what was meant, first matches, what is kept, and what is refused."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.services.advisories import CORRECTION
from tests.services.running import run_jobs
from tests.services.test_product_names import csaf, publish
from tests.web.lakes import client, house, org
from tests.web.visitors import read, send, visitor

from vedette.services.testing import Fixture
from vedette.store.models import Notice
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["client", "house", "org"]


def only() -> Notice:
    with scoped(SYSTEM):
        row: Notice = Notice.objects.get()
    return row


def test_a_typed_list_shows_first_matches_and_is_kept_when_wanted(client: Client) -> None:
    first = client.post("/inventories/type/", {"text": "ujson 5.1.0, no such thing 7.2"})
    page = first.content.decode()
    assert first.status_code == 200
    assert "First matches" in page
    for part in (CORRECTION, "ujson 5.1.0", "5.2.0", "As typed: matched by words", "no such thing"):
        assert part in page, part
    assert "No advisory here names it" in page
    assert (
        "or nearly so"
        in client.post("/inventories/type/", {"text": "ujson desk 1.0"}).content.decode()
    )
    assert 'value="keep"' in page
    candidate = json.dumps(["PyPI", "ujson", "pkg:pypi/ujson"])
    assert candidate.replace('"', "&quot;") in page
    listed = client.get("/inventories/").content.decode()
    assert "No inventory yet" in listed, "nothing is kept before it is wanted"
    chosen = {
        "text": "ujson 5.1.0, no such thing 7.2",
        "product_0": candidate,
        "version_0": "5.2.0",
        "product_1": "out",
        "version_1": "",
        "name": "desk",
    }
    again = client.post("/inventories/type/", chosen | {"step": "match"}).content.decode()
    assert "says nothing of these products" in again
    keep = chosen | {"version_0": "5.1.0", "step": "keep"}
    at = send(client, "/inventories/type/", **keep, sure_0="on", exposed="on")
    run_jobs()
    assert "desk" in read(client, at)
    assert only().matches[0]["confidence"] == "exact", "the product was confirmed"
    assert only().facts["exposed"], "said to be publicly reachable"
    send(client, "/inventories/type/", **keep)
    run_jobs()
    assert only().matches[0]["confidence"] == "likely", "equal names confirm nothing"
    listed = SimpleUploadedFile("desk.txt", b"ujson 5.1.0, no such thing 7.2")
    send(client, "/inventories/take/", file=listed)
    run_jobs()
    assert only().matches[0]["confidence"] != "exact", "nor does a typed list as a file"


def test_the_nearest_name_is_not_exact_before_somebody_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = {"text": "ujson fast 5.1.0"}
    monkeypatch.setattr("vedette.web.pages.typed.SURE", 0.6)  # as near as the one product known is
    first = client.post("/inventories/type/", text).content.decode()
    assert "Yes, this is what I run" in first
    assert "confirmed by nobody" in first
    candidate = json.dumps(["PyPI", "ujson", "pkg:pypi/ujson"])
    chosen = text | {"product_0": candidate, "version_0": "5.1.0", "name": "desk"}
    sure = chosen | {"sure_0": "on", "step": "match"}
    again = client.post("/inventories/type/", sure).content.decode()
    assert "confirmed by nobody" not in again
    send(client, "/inventories/type/", **chosen, step="keep")
    run_jobs()
    assert only().matches[0]["confidence"] == "likely"


def test_what_is_wrong_in_a_typed_list_is_told(client: Client) -> None:
    for text, words in (
        ("...", "1 to 100 expected"),
        ("a1\n" * 101, "101 products"),
        ("", "required"),
    ):
        page = client.post("/inventories/type/", {"text": text})
        assert page.status_code == 422
        assert words in page.content.decode()
    nameless = {
        "text": "x 1.0",
        "product_0": "typed",
        "version_0": "1.0",
        "name": "",
        "step": "keep",
    }
    page = client.post("/inventories/type/", nameless)
    assert page.status_code == 422
    assert "printable characters" in page.content.decode()
    foreign = nameless | {"product_0": "[1]", "name": "x"}
    assert client.post("/inventories/type/", foreign).status_code == 422


def test_who_types_a_list(house: Fixture, org: str) -> None:
    url = "/inventories/type/"
    for person in (visitor(house, "reader", org), visitor(house, "vendor", org)):
        assert person.get(url).status_code == 403
        assert person.post(url, {"text": "ujson 5.1.0"}).status_code == 403
    assert Client().get(url).headers["Location"].startswith("/accounts/login/")
    assert visitor(house, "operator", org).put(url).status_code == 405


def test_whether_it_is_the_product_is_said_on_the_notice(house: Fixture, client: Client) -> None:
    publish(house, csaf("A-1", "X-208"))
    file = SimpleUploadedFile("plant.csv", b"vendor,product,version\nAcme,X208,5\n")
    send(client, "/inventories/take/", file=file)
    run_jobs()
    at = f"/notices/{only().id}/"
    for part in ("Is it this product?", "Acme X208", "Acme X-208", "No, another product"):
        assert part in read(client, at)
    names = {"ours": "Acme X208", "theirs": "Acme X-208", "same": "no"}
    send(client, f"{at}names/", **names)
    run_jobs()
    assert "No longer found" in read(client, at)
    page = read(client, "/inventories/")
    assert "another product" in page
    forget = page.partition('action="/inventories/names/')[2].partition('"')[0]
    reader = visitor(house, "reader", only().org_id)
    assert "No, another product" not in read(reader, at)
    for url in (f"{at}names/", f"/inventories/names/{forget}"):
        assert reader.post(url, names).status_code == 403
        assert client.get(url).status_code == 405
    send(client, f"{at}names/", **names | {"theirs": "Acme Y"})
    assert "matches no such names" in read(client, at)
    send(client, f"/inventories/names/{forget}")
    run_jobs()
    assert "Is it this product?" in read(client, at)
    other = visitor(house, "operator", str(house.organisation("Hill Water", "operator").id))
    assert other.post(f"{at}names/", names).status_code == 404
    assert other.post(f"/inventories/names/{forget}").status_code == 404
