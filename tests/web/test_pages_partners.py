"""The pages of partners, early access, scans and seats, as each party sees them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.services.flow import MODEL, LabStory
from tests.services.test_early_access import actor
from tests.services.test_selection import THREE, ids, offered
from tests.web.visitors import read, refused, send, stranger, visitor

from vedette.kernel.permissions import Profile
from vedette.services import access, early_access, scans
from vedette.services.testing import Fixture, instance
from vedette.store.models import Person, ScanIntent
from vedette.store.tenancy import SYSTEM, scoped

WHEN = {"starts": "2026-12-02T09:00", "ends": "2026-12-09T09:00"}


@pytest.fixture
def house(db: None, tmp_path: Path) -> Iterator[Fixture]:
    with instance(Profile.CLEARINGHOUSE, tmp_path) as made:
        yield made


def partner_client(lab: Fixture, story: LabStory, act_id: str) -> tuple[Any, str]:
    """A partner's person, signed in on the lab's instance, and its access."""
    from django.test import Client

    partner = ids(story.lead, act_id)["Hill Clinic"]
    row, code = early_access.open_early_access(story.lead, partner, "pat@clinic.example")
    actor(lab, "pat@clinic.example", code)
    client = Client()
    client.force_login(Person.objects.get(email="pat@clinic.example"))
    return client, str(row.id)


def test_the_lab_names_several_stages_them_and_takes_one_back(lab: Fixture) -> None:
    story, lead = LabStory.start(lab), visitor(lab, "release-lead")
    plan = story.planned()
    made = send(
        lead,
        f"/acts/offer/{plan}/partner-selection/",
        peer="Office",
        name="Harbour Grid",
        sector="energy",
        criteria=["can-act-early"],
        ties="shares-people: a founder sits on its board",
        more="Hill Clinic; rural-hospital; small\nFen Bank; community-bank; small",
    )
    text = read(lead, made)
    assert "Hill Clinic" in text
    assert "nobody yet" in text, "local utilities are visibly absent"
    waves = read(lead, f"{made}waves/")
    assert waves.index("Hill Clinic") < waves.index("Harbour Grid")
    rows = ids(story.lead, made.split("/")[2])
    page = f"/partners/{rows['Harbour Grid']}/"
    assert "a founder sits on its board" in read(lead, page)
    send(lead, f"{page}take-back/", reason="no time", ties="")
    assert "taken back" in read(lead, page)
    send(lead, f"{page}wave/", wave="2")
    assert lead.get(f"{page}decline/").status_code == 200
    assert "no move" in refused(lead, f"{page}decline/", reason="")
    assert lead.get(f"{page}burn/").status_code == 404


def test_a_partner_reads_accepts_opens_a_session_and_sees_its_own_alone(lab: Fixture) -> None:
    story, lead = LabStory.start(lab), visitor(lab, "release-lead")
    plan, act_id = story.planned(), offered(story, *THREE)
    access.add_endpoint(story.lead, MODEL, "http://127.0.0.1:9/v1", "", build="b1")
    pat, early = partner_client(lab, story, act_id)
    at = f"/early/{early}/"
    home = read(pat, "/")
    assert "Hill Clinic" in home
    assert "/plan/" not in home
    digest = read(pat, f"{at}accept/").split('name="digest" value="')[1].split('"')[0]
    refused(pat, f"{at}accept/", digest=digest)
    assert "not accepted" in refused(pat, f"{at}session/", purpose="own-systems")
    send(pat, f"{at}accept/", digest=digest, read="on")
    answer = pat.post(f"{at}session/", {"purpose": "own-systems"})
    assert "vac_" in answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-store"
    assert "vac_" not in read(pat, at)
    asked = {"HTTP_IDEMPOTENCY_KEY": "session-1", "content_type": "application/json"}
    first, again = (
        pat.post(f"/api/v1/early-access/{early}/sessions", '{"purpose": "own-systems"}', **asked)
        for _ in range(2)
    )
    assert first.json()["credential"].startswith("vac_")
    assert again.json() == {**first.json(), "credential": ""}, "shown once, kept nowhere"
    send(pat, f"{at}name/", named="pseudonym")
    for hidden in (f"/plan/{plan}/", f"/dossier/{plan}/", f"/acts/{act_id}/", "/seats/"):
        assert pat.get(hidden).status_code in (403, 404), hidden
    for listed in ("/acts/", "/partners/", "/sessions/"):
        found = pat.get(listed)
        assert found.status_code in (403, 404) or "Harbour Grid" not in found.content.decode()
    other = stranger(lab, "partner")
    assert other.get(at).status_code == 404
    assert pat.get(f"{at}end/").status_code == 403
    send(lead, f"{at}end/", reason="enough")
    assert "enough" in read(pat, at)
    assert lead.get(f"{at}accept/").status_code in (403, 404)


def test_a_partners_scan_goes_out_from_its_own_page(lab: Fixture) -> None:
    story = LabStory.start(lab)
    lab.peer("House", Profile.CLEARINGHOUSE)
    pat, _ = partner_client(lab, story, offered(story, *THREE))
    assert "No scan is registered" in read(pat, "/scans/")
    text = refused(pat, "/scans/new/", method="fuzzing", **WHEN)
    assert "product or a package" in text
    made = send(pat, "/scans/new/", product="RegMap Gateway", method="fuzzing", **WHEN)
    assert "On its way" in read(pat, made)
    assert "From which of your scans" in read(pat, "/findings/report/")
    assert visitor(lab, "auditor").get(made).status_code == 403


def test_two_finders_see_somebody_and_the_coordinator_who(house: Fixture) -> None:
    orgs = {name: house.organisation(name, "finder").id for name in ("One", "Two")}
    one, two = (visitor(house, "finder", org) for org in orgs.values())
    maker = visitor(house, "vendor", house.organisation("Norrvik", "vendor").id)
    refused(maker, "/scans/wishes/", kind="no-scan")
    wish = {"kind": "no-scan", "product": "RegMap Gateway", "text": "flood season"}
    send(maker, "/scans/wishes/", **wish)
    pages = {}
    for name, client in (("One", one), ("Two", two)):
        pages[name] = send(
            client, "/scans/new/", product="RegMap Gateway", method="fuzzing", **WHEN
        )
    text = read(one, pages["One"])
    assert "Somebody is at it" in text
    assert "flood season" in text
    assert "Two" not in text.split("<main")[1]
    assert one.get(pages["Two"]).status_code == 404
    coordinator = visitor(house, "coordinator")
    assert "Two" in read(coordinator, pages["One"])
    for name, client in (("One", one), ("Two", two)):
        send(client, f"{pages[name]}consent/", introduce="on", contact=f"{name}@x.example")
    assert "Two@x.example" in read(one, pages["One"])
    send(two, f"{pages['Two']}end/")
    assert "Nobody else that we know of" in read(one, pages["One"])
    with scoped(SYSTEM):
        assert ScanIntent.objects.exclude(ended_at=None).count() == 1
    assert one.get(f"{pages['One']}end/").status_code == 405


def test_a_test_bed_is_offered_with_a_declaration(house: Fixture) -> None:
    plant = visitor(house, "operator", house.organisation("Plant", "operator").id)
    finder = visitor(house, "finder", house.organisation("One", "finder").id)
    given = {"name": "Old gateway", "kind": "own-test-bed", "contact": "a@x", "product": "G"}
    refused(plant, "/testbeds/offer/", **given)
    send(plant, "/testbeds/offer/", **given, own="on")
    assert "Old gateway" in read(finder, "/testbeds/")
    assert finder.get("/testbeds/offer/").status_code == 403
    assert visitor(house, "auditor").get("/testbeds/").status_code == 403


def test_seats_show_who_is_absent_and_are_shared_by_the_lab(lab: Fixture) -> None:
    story, lead = LabStory.start(lab), visitor(lab, "release-lead")
    house = lab.peer("House", Profile.CLEARINGHOUSE)
    partner_client(lab, story, offered(story, *THREE))
    text = read(lead, "/seats/")
    assert text.count("nobody yet") == 2
    send(lead, "/seats/")
    assert len(house.received("seats.shared")) == 1
    assert stranger(lab, "partner").get("/seats/").status_code == 404


def test_signed_out(lab: Fixture) -> None:
    from django.test import Client

    for page in ("/early/", "/partners/", "/scans/", "/seats/"):
        assert Client().get(page).status_code == 302


def test_ends_by_the_owner_alone(house: Fixture) -> None:
    org = house.organisation("One", "finder").id
    row = scans.declare_scan(
        house.person("finder", org),
        product="X",
        method="fuzzing",
        starts=house.clock.time,
        ends=house.clock.time.replace(day=5),
    )
    assert visitor(house, "coordinator").post(f"/scans/{row.id}/end/").status_code == 409
