"""A delegate's pages and calls: mandates, one inbox over operators, bulk answers, export."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.services.advisories import sbom
from tests.services.mandated import ALL, BASIS, World, notice
from tests.services.test_vex import openvex
from tests.web.visitors import read, refused, send, stranger, visitor

from vedette.kernel.permissions import Profile
from vedette.services import accounts, answers, mandates
from vedette.services.testing import instance
from vedette.store.models import VexDocument
from vedette.store.tenancy import SYSTEM, scoped

FORM = {"acts": list(ALL), "basis": BASIS, "ends": "2027-06-30"}


@pytest.fixture
def world(db: None, tmp_path: Path) -> Iterator[World]:
    with instance(Profile.CLEARINGHOUSE, tmp_path) as house:
        yield World(house)


@pytest.fixture
def isac(world: World) -> Client:
    return visitor(world.house, "delegate", world.delegates[0].org)


@pytest.fixture
def oak(world: World) -> Client:
    return visitor(world.house, "operator", world.operators[0].org)


def test_from_the_offer_to_the_end(world: World, oak: Client, isac: Client) -> None:
    assert "Offer a mandate" in read(oak, "/mandates/")
    at = send(oak, "/mandates/new/", other=world.delegates[0].org, sites="", **FORM)
    assert "Accept it" not in read(oak, at)
    assert "A flaw" not in read(isac, "/delegated/")
    assert "&sect;4" in read(isac, at) or "§4" in read(isac, at)
    assert "No mandate is in force" in read(isac, "/")
    send(isac, f"{at}accept/")
    assert "Oak Utility" in read(isac, "/")
    page = read(isac, "/delegated/")
    assert "Oak Utility: plant" in page
    assert "Elm Utility" not in page
    first, second = (n.id for n in world.notices[:2])
    detail = read(isac, f"/delegated/{first}/")
    assert "You answer for Oak Utility under its mandate" in detail
    send(isac, f"/delegated/{first}/", state="not-affected")
    own = read(oak, f"/notices/{first}/")
    assert "of WaterISAC, for Oak Utility under mandate-" in own
    assert "/mandates/mandate-" in own
    told = answers.answers_for(world.house.person("coordinator"), world.notices[0].advisory)
    assert [o["through"] for o in told["operators"] if o["state"] == "not-affected"] == [
        ["WaterISAC"]
    ]
    send(oak, f"{at}end/")
    for url in (f"/delegated/{first}/", f"/delegated/{second}/"):
        assert isac.get(url).status_code == 404
    assert "No mandate is in force" in read(isac, "/delegated/")
    assert "Its time is over" not in read(isac, at)
    isac.post(f"{at}end/")
    assert "is no move of the delegate now" in read(isac, at)


def test_bulk_answers_undo_and_export(world: World, isac: Client) -> None:
    for operator in world.operators:
        world.mandate(operator, world.delegates[0])
    ids = [n.id for n in world.notices]
    at = send(isac, "/delegated/answer/", notice=ids[:3], state="patched")
    batch = re.search(r"batch=([^&]+)", at)
    assert batch is not None
    assert "Undo: 3 as before" in read(isac, at)
    rows = list(csv.DictReader(io.StringIO(read(isac, "/delegated/export/?format=csv&show=all"))))
    assert {(r["operator"], r["inventory"], r["state"]) for r in rows} == {
        ("Oak Utility", "plant", "patched"),
        ("Oak Utility", "office", "patched"),
        ("Elm Utility", "plant", "patched"),
        ("Elm Utility", "office", "unanswered"),
    }
    kept = json.loads(read(isac, "/delegated/export/?format=json&show=patched"))
    assert {each["operator"]["name"] for each in kept} == {"Oak Utility", "Elm Utility"}
    send(isac, "/delegated/undo/", batch=batch.group(1))
    assert json.loads(read(isac, "/delegated/export/?format=json&show=patched")) == []
    elm = f"/delegated/?operator={world.operators[1].org}&by=operator"
    assert "Oak Utility: plant" not in read(isac, elm)
    assert "All 2 that the filter shows" in read(isac, elm)
    every = f"/delegated/answer/?operator={world.operators[1].org}"
    send(isac, every, every="1", state="not-affected")
    kept = json.loads(read(isac, "/delegated/export/?format=json&show=not-affected"))
    assert {each["operator"]["name"] for each in kept} == {"Elm Utility"}
    assert "Choose the notices" in refused(isac, "/delegated/answer/", state="patched")


def test_a_formula_does_not_leave_as_one(world: World, isac: Client) -> None:
    house = world.house
    named = house.person("operator", house.organisation("=cmd()", "operator").id)
    notice(named, "plant")
    world.mandate(named, world.delegates[0])
    rows = list(csv.DictReader(io.StringIO(read(isac, "/delegated/export/"))))
    assert [row["operator"] for row in rows] == ["'=cmd()"]


def test_operators_are_brought_in_with_their_inventories(world: World, isac: Client) -> None:
    files = [SimpleUploadedFile(f"Town {n}.json", sbom(f"pkg:pypi/part@{n}")) for n in range(3)] + [
        SimpleUploadedFile("Elsewhere.json", sbom("pkg:pypi/part@1"))
    ]
    answer = isac.post(
        "/mandates/onboard/", {**FORM, "operators": "Town 0\nTown 1\nTown 2", "uploads": files}
    )
    page = answer.content.decode()
    assert answer.status_code == 200, page[:2000]
    assert page.count("registered") == 3
    assert page.count("1 components kept") == 3
    assert "no operator &#x27;Elsewhere&#x27; has mandated you" in page
    listed = SimpleUploadedFile(
        "Town 1__assets.csv", b"product,version,site\nA,1,North\nB,1,South\n"
    )
    page = isac.post("/mandates/onboard/", {"uploads": [listed], "by_site": "on"}).content.decode()
    assert "2 sites: 2 components kept" in page
    wrong = refused(isac, "/mandates/onboard/", operators="Town 9", acts=list(ALL))
    assert "New operators need it." in wrong
    assert "Name operators, choose files, or both." in refused(isac, "/mandates/onboard/")
    town = next(
        o
        for o in accounts.hosted_organisations(world.house.person("administrator"))
        if o[1] == "Town 0"
    )
    host = visitor(world.house, "administrator")
    assert "Organisations that nobody signs in to" in read(host, "/people/")
    assert "Town 0" in read(host, "/people/")
    page = host.post(
        "/people/", {"email": "ann@town.example", "role": "operator", "org": town[0]}
    ).content.decode()
    assert "Invitation made" in page
    ann = visitor(world.house, "operator", town[0])
    [row] = mandates.mandates(world.house.person("operator", town[0]))
    assert "The delegate registered you" in read(ann, f"/mandates/{row['id']}/")
    send(ann, f"/mandates/{row['id']}/end/")


def test_who_may_and_who_may_not(world: World, isac: Client, oak: Client) -> None:
    made = world.mandate(world.operators[0], world.delegates[0])
    first = world.notices[0].id
    other = visitor(world.house, "delegate", world.delegates[1].org)
    elm = visitor(world.house, "operator", world.operators[1].org)
    reader = visitor(world.house, "reader", world.delegates[0].org)
    for somebody in (other, stranger(world.house, "vendor")):
        for url in (f"/delegated/{first}/", f"/mandates/{made.id}/"):
            assert somebody.get(url).status_code == 404
        assert (
            somebody.post("/delegated/answer/", {"notice": [first], "state": "patched"}).status_code
            == 404
        )
    assert elm.get(f"/mandates/{made.id}/").status_code == 404
    assert elm.post(f"/mandates/{made.id}/end/").status_code == 404
    assert "Oak Utility: plant" in read(reader, "/delegated/")
    assert reader.post(f"/delegated/{first}/", {"state": "patched"}).status_code == 403
    assert reader.post(f"/mandates/{made.id}/end/").status_code == 403
    assert oak.get("/mandates/onboard/").status_code == 403
    assert isac.get("/notices/").status_code == 403
    assert isac.get(f"/mandates/{made.id}/end/").status_code == 405
    assert isac.post(f"/mandates/{made.id}/renew/").status_code == 404
    assert Client().get("/delegated/").status_code == 302
    vendor = visitor(world.house, "administrator", world.house.organisation("V", "vendor").id)
    assert "Offer a mandate</a>" not in read(vendor, "/mandates/")


def call(token: str, method: str, path: str, body: Any = None) -> Any:
    return Client().generic(
        method,
        f"/api/v1{path}",
        json.dumps(body).encode() if body is not None else b"",
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )


def test_the_same_over_the_api(world: World) -> None:
    email = "ada@isac.example"
    visitor(world.house, "delegate", world.delegates[0].org, email)
    visitor(world.house, "operator", world.operators[0].org, "oz@oak.example")
    isac, oak = accounts.make_token(email), accounts.make_token("oz@oak.example")
    bounds = {"acts": list(ALL), "basis": BASIS, "ends": "2027-06-30"}
    asked = call(isac, "POST", "/mandates", {**bounds, "other": "Oak Utility"}).json()
    assert (asked["state"], asked["moves"], asked["basis"]) == ("asked", ["end"], BASIS)
    assert call(oak, "POST", f"/mandates/{asked['id']}/accept", {}).json()["state"] == "in-force"
    items = call(isac, "GET", "/delegated/notices?limit=1").json()
    assert [each["operator"]["name"] for each in items["items"]] == ["Oak Utility"]
    after = call(isac, "GET", f"/delegated/notices?cursor={items['next']}").json()
    assert len(after["items"]) == 1
    ids = [world.notices[0].id, world.notices[1].id]
    made = call(isac, "POST", "/delegated/answers", {"notices": ids, "state": "patched"}).json()
    assert sorted(made["notices"]) == sorted(ids)
    undone = call(isac, "POST", f"/delegated/answers/{made['batch']}/undo", {}).json()
    assert sorted(undone["notices"]) == sorted(ids)
    towns = {**bounds, "operators": [{"name": "Town"}]}
    [line] = call(isac, "POST", "/delegated/operators", towns).json()
    body = {"name": "plant", "data": "UHJvZHVjdCxWZXJzaW9uCkEsMQo="}
    at = f"/delegated/operators/{line['id']}/inventories"
    assert call(isac, "POST", at, body).json()["components"] == 1
    held = call(isac, "GET", "/delegated/inventories").json()
    assert {each["operator"]["name"] for each in held} == {"Oak Utility", "Town"}
    found = call(isac, "GET", f"/delegated/notices/{ids[0]}").json()
    assert found["answers"]
    assert found["operator"]["name"] == "Oak Utility"
    assert call(oak, "POST", f"/mandates/{asked['id']}/end", {}).json()["state"] == "ended"
    assert call(isac, "GET", f"/delegated/notices/{ids[0]}").status_code == 404
    assert {o["name"] for o in call(isac, "GET", "/delegated/operators").json()} == {"Town"}
    assert call(isac, "GET", "/mandates").json()[0]["operator"]["name"] == "Town"


def test_the_operators_inventories_are_listed(world: World, isac: Client, oak: Client) -> None:
    world.mandate(world.operators[0], world.delegates[0], sites=["plant"])
    page = read(isac, "/delegated/inventories/")
    assert f"operator={world.operators[0].org}&amp;inventory=plant" in page
    assert "Hand in newer ones" in page
    for part in ("office", "Elm Utility"):
        assert part not in page
    reader = visitor(world.house, "reader", world.delegates[0].org)
    assert "Hand in newer ones" not in read(reader, "/delegated/inventories/")
    elsewhere = visitor(world.house, "delegate", world.delegates[1].org)
    assert "No mandate covers an inventory yet" in read(elsewhere, "/delegated/inventories/")
    assert isac.post("/delegated/inventories/").status_code == 405
    assert Client().get("/delegated/inventories/").status_code == 302


def test_vex_and_single_assets(world: World, isac: Client, oak: Client) -> None:
    world.mandate(world.operators[0], world.delegates[0])
    url = f"/delegated/{world.notices[0].id}/"
    assert "Mark the chosen assets" in read(isac, url)
    send(isac, f"{url}mark/", asset=["c"], status="done")
    assert "marked for this asset" in read(isac, url)
    isac.post(f"{url}mark/", {"asset": ["other"], "status": "done"})
    assert "name such that the notice is about" in read(isac, url)
    assert "VEX and names of the operators" in read(isac, "/delegated/")
    operator = world.operators[0].org
    file = SimpleUploadedFile("v.json", openvex())
    values = {"operator": operator, "site": "plant", "name": "v", "file": file}
    assert send(isac, "/delegated/vex/take/", **values) == "/delegated/vex/"
    page = read(isac, "/delegated/vex/")
    for part in ("Oak Utility", "plant", "Lake Water", "Withdraw"):
        assert part in page, part
    own = read(oak, "/vex/")
    assert "of WaterISAC, for Oak Utility under mandate-" in own
    with scoped(SYSTEM):
        document = VexDocument.objects.get().id
    elsewhere = visitor(world.house, "delegate", world.delegates[1].org)
    assert elsewhere.post(f"/delegated/vex/{document}/withdraw/").status_code == 404
    assert elsewhere.post(f"{url}mark/", {"asset": ["c"]}).status_code == 404
    assert oak.post(f"{url}mark/", {"asset": ["c"]}).status_code == 403
    send(isac, f"/delegated/vex/{document}/withdraw/")
    assert "Lake Water" not in read(isac, "/delegated/vex/")


def test_names_of_products_on_pages_and_over_the_api(world: World, oak: Client) -> None:
    row, operator = world.notices[0], world.operators[0].org
    names = {"ours": "Acme X208", "theirs": "Acme X-208"}
    with scoped(SYSTEM):
        row.matches = [row.matches[0] | {"ours": names["ours"], "theirs": [names["theirs"]]}]
        row.save()
    isac = visitor(world.house, "delegate", world.delegates[0].org, "ada@isac.example")
    at, page = f"/delegated/{row.id}/", "/delegated/vex/"
    made = world.mandate(world.operators[0], world.delegates[0], ["answer-notices"])
    assert "Is it this product?" in read(isac, at)
    assert "Yes, it is" not in read(isac, at), "the mandate is not for it"
    send(isac, f"{at}names/", **names, same="yes")
    assert "is not for this" in read(isac, at)
    mandates.end_mandate(world.operators[0], made.id)
    world.mandate(world.operators[0], world.delegates[0])
    assert "No, another product" in read(isac, at)
    send(isac, f"{at}names/", **names, same="no")
    assert "another product" in read(isac, page)
    assert "of WaterISAC, for Oak Utility under mandate-" in read(oak, "/inventories/")
    token = accounts.make_token("ada@isac.example")
    (said,) = call(token, "GET", "/delegated/names").json()
    assert (said["same"], said["own"], said["operator"]["id"]) == (False, True, operator)
    forget = f"{page}names/{said['id']}/forget/"
    reader = visitor(world.house, "reader", world.delegates[0].org)
    other = visitor(world.house, "delegate", world.delegates[1].org)
    for url in (f"{at}names/", forget):
        assert isac.get(url).status_code == 405
        assert reader.post(url, names).status_code == 403
        assert other.post(url, names).status_code == 404
        assert Client().post(url, names).status_code == 302
    send(isac, forget)
    assert call(token, "GET", "/delegated/names").json() == []
    again = call(token, "POST", f"/delegated/notices/{row.id}/names", names | {"same": True})
    assert "of WaterISAC, for Oak Utility" in again.json()["by"]
    gone = call(token, "POST", f"/delegated/names/{again.json()['id']}/forget", {})
    assert gone.json() == []


def test_the_inbox_has_an_operators_filters(world: World, isac: Client) -> None:
    world.mandate(world.operators[0], world.delegates[0])
    world.mandate(world.operators[1], world.delegates[0], sites=["plant"])
    oak_plant, oak_office, elm_plant, _ = world.notices
    with scoped(SYSTEM):
        for row, verdict, confidence, place in (
            (oak_plant, "affected", "exact", "n/y/y/total"),
            (oak_office, "unknown", "possible", "n/y/y/total"),
            (elm_plant, "affected", "possible", "y/y/y/total"),
        ):
            row.verdict, row.row = verdict, place
            row.matches = [row.matches[0] | {"confidence": confidence}]
            row.save()

    def shown(query: str) -> set[str]:
        kept = json.loads(read(isac, f"/delegated/export/?format=json&{query}"))
        assert len(kept) == read(isac, f"/delegated/?{query}").count('name="notice"')
        return {each["id"] for each in kept}

    assert shown("confidence=possible") == {oak_office.id, elm_plant.id}
    assert shown("confidence=possible&verdict=affected") == {elm_plant.id}
    assert shown("row=n/y/y/total") == {oak_plant.id, oak_office.id}
    assert shown("inventory=plant") == {oak_plant.id, elm_plant.id}
    send(isac, "/delegated/answer/?verdict=affected", every="1", state="patched")
    assert shown("show=patched") == {oak_plant.id, elm_plant.id}
    visitor(world.house, "delegate", world.delegates[0].org, "ada@isac.example")
    token = accounts.make_token("ada@isac.example")
    found = call(token, "GET", "/delegated/notices?confidence=possible&verdict=unknown").json()
    assert [each["id"] for each in found["items"]] == [oak_office.id]
