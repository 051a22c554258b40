"""Early access of a trusted partner: its own sessions, scans and findings on the lab's instance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from tests.services.coordination import report
from tests.services.flow import MODEL, LabStory, act_of, events, move
from tests.services.test_scans import PRODUCT
from tests.services.test_selection import THREE, ids, offered, says

from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import (
    access,
    accounts,
    acts,
    early_access,
    early_views,
    findings,
    proxying,
    readiness,
    scans,
)
from vedette.services.acting import Actor
from vedette.services.case_views import finding_view
from vedette.services.partners import partner_view
from vedette.services.proxying import Admitted, Asked, Turned
from vedette.services.testing import START, FakePeer, Fixture
from vedette.store.models import Call, Finding, InMessage, Person, ScanFinding
from vedette.store.tenancy import SYSTEM, scoped


@dataclass
class Early:
    """A lab with a partner that signed in and accepted the terms."""

    story: LabStory
    house: FakePeer
    act: str
    id: str
    partner: Actor

    @property
    def lead(self) -> Actor:
        return self.story.lead


def actor(fixture: Fixture, email: str, code: str = "") -> Actor:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vedette.store.models.Person.set_password", lambda self, raw: None)
        person = accounts.join(code, "Pat", "correct horse battery") if code else None
    person = person or Person.objects.get(email=email)
    found = accounts.actor_of(person)
    assert found is not None
    return found


def open_for(lab: Fixture, number: int = 0, *, story: LabStory | None = None) -> Early:
    story = story or LabStory.start(lab)
    house = lab.peer(f"House {number}", Profile.CLEARINGHOUSE) if not number else None
    act_id = offered(story, *THREE)
    partner_id = list(ids(story.lead, act_id).values())[number]
    email = f"pat{number}@partner.example"
    row, code = early_access.open_early_access(story.lead, partner_id, email)
    found = Early(story, house, act_id, row.id, actor(lab, email, code))  # type: ignore[arg-type]
    return found


@pytest.fixture
def early(lab: Fixture) -> Early:
    made = open_for(lab)
    access.add_endpoint(made.lead, MODEL, "http://127.0.0.1:9/v1", "", build="b1")
    return made


def accept(early: Early) -> None:
    digest = early_views.early_view(early.partner, early.id)["digest"]
    early_access.accept_terms(early.partner, early.id, digest)


def opened(early: Early) -> early_access.Opened:
    accept(early)
    return early_access.open_session(early.partner, early.id, "own-products")


def call(made: early_access.Opened, purpose: str = "own-products") -> Admitted | Turned:
    return proxying.admit(Asked(made.credential, new_id("call"), purpose, "openai"))


def settle(found: Admitted | Turned) -> None:
    assert isinstance(found, Admitted), found
    proxying.settle(found, 200, 10, 20, 5, size=200)


def test_terms_first_then_a_session_of_its_own(early: Early) -> None:
    with pytest.raises(Refused, match="not accepted") as said:
        early_access.open_session(early.partner, early.id, "own-products")
    assert early.id in said.value.next_step
    with pytest.raises(BadInput, match="not the terms"):
        early_access.accept_terms(early.partner, early.id, "sha256:" + "0" * 64)
    made = opened(early)
    settle(call(made))
    found = early_views.early_view(early.partner, early.id)
    (acceptance,) = found["acceptances"]
    assert acceptance["person"] == "pat0@partner.example"
    assert acceptance["digest"] == found["digest"]
    (session,) = found["sessions"]
    assert (session["calls"], session["tokens"], session["state"]) == (1, 30, "open")
    assert made.expires == START + timedelta(hours=8)
    assert {"access:early:opened", "access:early:accepted", "access:session:opened"} <= set(
        events()
    )
    assert made.credential not in str(found)


def test_an_ordinary_client_of_the_model_will_do(early: Early) -> None:
    """Such a client sends the credential, and none of this program's headers."""
    made = opened(early)
    for _ in range(2):
        settle(proxying.admit(Asked(made.credential, "", "", "openai")))
    assert early_views.early_view(early.lead, early.id)["used"]["calls"] == 2
    assert isinstance(call(made, "confirmation"), Turned), "what it does say is held to"


def test_every_call_counts_and_nothing_of_it_goes_to_the_office(early: Early) -> None:
    made = opened(early)
    before = len(early.story.office.received())
    settle(call(made))
    assert isinstance(call(made, "confirmation"), Turned)
    early_access.close_session(early.partner, made.session)
    assert isinstance(call(made), Turned)
    with scoped(SYSTEM):
        assert Call.objects.filter(session_id=made.session).count() == 3
    assert len(early.story.office.received()) == before
    assert acts.session_view(early.lead, made.session)["peer"] == "Harbour Grid"


def test_a_session_ends_at_its_hour_and_the_lab_ends_all_at_once(
    lab: Fixture, early: Early
) -> None:
    made = opened(early)
    move(lab, START + timedelta(hours=8))
    assert isinstance(call(made), Turned)
    assert early_views.early_view(early.lead, early.id)["sessions"][0]["state"] == "ended"
    second = early_access.open_session(early.partner, early.id, "own-products")
    assert isinstance(call(second), Admitted)
    early_access.end_early_access(early.lead, early.id, "enough")
    assert isinstance(call(second), Turned)
    with pytest.raises(Refused, match="ended"):
        early_access.open_session(early.partner, early.id, "own-products")
    assert "access:early:ended" in events()


def test_it_ends_by_itself(lab: Fixture, early: Early) -> None:
    move(lab, START + timedelta(days=30) - timedelta(hours=1))
    made = opened(early)
    assert made.expires == START + timedelta(days=30)
    move(lab, START + timedelta(days=30))
    assert isinstance(call(made), Turned)
    assert early_views.early_view(early.lead, early.id)["state"] == "over"


def test_the_quota_is_the_accesss_not_the_sessions(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act_id = offered(story, *THREE)
    partner = ids(story.lead, act_id)["Fen Bank"]
    access.add_endpoint(story.lead, MODEL, "http://127.0.0.1:9/v1", "", build="b1")
    row, code = early_access.open_early_access(story.lead, partner, "p@x.example", calls=2)
    made = Early(story, None, act_id, row.id, actor(lab, "p@x.example", code))  # type: ignore[arg-type]
    first = opened(made)
    settle(call(first))
    second = early_access.open_session(made.partner, made.id, "own-products")
    settle(call(second))
    for session in (first, second):
        turned = call(session)
        assert isinstance(turned, Turned)
        assert turned.status == 429


@pytest.mark.parametrize("said", ["declined", "taken-back", "declines all", "withdraws"])
def test_what_the_office_says_ends_nothing(early: Early, said: str) -> None:
    made = opened(early)
    partner = ids(early.lead, early.act)["Harbour Grid"]
    if said == "declines all":
        early.story.answer(early.act, "declined")
    else:
        early.story.answer(early.act)
        if said == "withdraws":
            sent = {"act": early.act}
            early.story.office.send("engagement.withdrawn", sent, thread=early.act)
            assert act_of(early.act).state == "withdrawn"
        else:
            says(early.story.office, early.act, partner, said)
    assert isinstance(call(made), Admitted)
    assert early_access.open_session(early.partner, early.id, "own-systems")


def test_a_partner_sees_its_own_and_nothing_else(lab: Fixture, early: Early) -> None:
    other = open_for(lab, 1, story=early.story)
    early.story.planned()
    readiness.fill_dossier(early.lead, MODEL, {"model-name": "Orion"})
    partner = early.partner
    made = opened(early)
    for look in (
        lambda: early_views.early_view(partner, other.id),
        lambda: early_access.accept_terms(partner, other.id, "x"),
        lambda: early_access.open_session(partner, other.id, "own-products"),
        lambda: acts.act_view(partner, early.act),
        lambda: early_access.close_session(other.partner, made.session),
        lambda: early_views.seats(partner),
    ):
        with pytest.raises(NotFound):
            look()
    with pytest.raises((NotFound, Forbidden)):
        readiness.plans(partner)
    with pytest.raises((NotFound, Forbidden)):
        readiness.dossier(partner, MODEL)
    with pytest.raises((NotFound, Forbidden)):
        early_access.end_early_access(partner, early.id)
    assert acts.acts(partner) == []
    assert [row["id"] for row in early_views.early_list(partner)] == [early.id]
    assert len(early_views.early_list(early.lead)) == 2
    reader = lab.person("reader")
    assert early_views.early_view(reader, early.id)["id"] == early.id
    with pytest.raises(Forbidden):
        early_access.end_early_access(reader, early.id)
    with pytest.raises((Forbidden, NotFound)):
        early_access.open_session(early.lead, early.id, "own-products")


@pytest.mark.parametrize(("named", "name"), [(True, "Harbour Grid"), (False, "partner ")])
def test_scans_and_findings_go_under_its_name_or_pseudonym(
    early: Early, named: bool, name: str
) -> None:
    early_access.set_named(early.partner, early.id, named)
    given = {**PRODUCT, "method": "model-assisted", "starts": START}
    scan = scans.declare_scan(early.partner, **given, ends=START + timedelta(days=3))
    found = findings.report_finding(early.partner, report(), scan=scan.id)
    (declared,) = early.house.received("scan.declared")
    (reported,) = early.house.received("finding.reported")
    assert declared.body["behalf"] == reported.body["behalf"]
    assert declared.body["behalf"]["name"].startswith(name)
    assert declared.body["behalf"]["named"] is named
    assert named or "Harbour" not in str(declared.body) + str(reported.body)
    assert reported.body["scan"] == scan.id
    shown = early_views.early_view(early.lead, early.id)
    assert [row["id"] for row in shown["scans"]] == [scan.id]
    assert [row["id"] for row in shown["findings"]] == [found.id]
    answer = {"finding": found.id, "state": "reproduced", "reasons": ["it crashes"]}
    early.house.send("finding.answered", answer, thread=found.id)
    assert finding_view(early.partner, found.id)["state"] == "reproduced"


def test_what_a_partner_finds_is_its_own_at_the_clearinghouse(clearinghouse: Fixture) -> None:
    lab = clearinghouse.peer("Lab", Profile.LAB)
    behalf = {"reference": new_id("org"), "name": "partner 7", "named": False, "sector": "energy"}
    for behind in (behalf, {**behalf, "reference": new_id("org"), "name": "Grid"}, None):
        fields = report(title=f"Overflow {behind and behind['name']}")
        body = {"finding": new_id("finding"), "description": "", **fields}
        if behind:
            body["behalf"] = behind
        lab.send("finding.reported", body, thread=body["finding"])
    with scoped(SYSTEM):
        rows = list(Finding.objects.select_related("org").order_by("title"))
        assert not InMessage.objects.exclude(state="handled").exists()
    assert {row.reporter for row in rows} == {"partner 7", "Grid", "Lab"}
    assert len({row.org_id for row in rows}) == 3
    assert all(row.peer_id == lab.keys.public.keyid for row in rows), "answers go to the lab"
    assert {row.org.kind for row in rows} == {"partner", "lab"}
    with scoped(SYSTEM):
        assert not ScanFinding.objects.exists()


def test_seats_and_hours_by_sector_are_shared_as_numbers(lab: Fixture, early: Early) -> None:
    settle(call(opened(early)))
    move(lab, START + timedelta(hours=2))
    rows = {row["sector"]: row for row in early_views.seats(early.lead)["rows"]}
    assert (rows["Energy"]["partners"], rows["Energy"]["minutes"]) == (1, 120)
    assert rows["Energy"]["calls"] == 1
    assert all(rows[name]["absent"] for name in ("Rural hospitals", "Community banks"))
    early_views.share_seats(early.lead)
    (message,) = early.house.received("seats.shared")
    assert [row["sector"] for row in message.body["rows"]] == ["Energy"]
    assert "Harbour" not in str(message.body)
    assert "Harbour" not in str(early_views.seats(early.lead))


def test_the_clearinghouse_adds_up_what_labs_share(clearinghouse: Fixture) -> None:
    numbers = {"partners": 1, "small": 1, "sessions": 2, "minutes": 90, "calls": 5}
    labs = [clearinghouse.peer(name, Profile.LAB) for name in ("Lab", "Other")]

    def share(lab: FakePeer, number: int, sector: str) -> None:
        body = {"number": number, "as_of": "2026-12-01T09:00:00Z"}
        lab.send("seats.shared", {**body, "rows": [{"sector": sector, **numbers}]}, thread="")

    share(labs[0], 2, "rural-hospital")
    share(labs[0], 1, "energy")
    share(labs[1], 1, "Rural hospitals")
    found = early_views.seats(clearinghouse.person("coordinator"))
    rows = {row["sector"]: row for row in found["rows"]}
    assert rows["Rural hospitals"]["minutes"] == 180
    assert not rows["Rural hospitals"]["absent"]
    assert rows["Local utilities"]["absent"]
    assert "Energy" not in rows, "the newest numbers stand"
    assert [lab["name"] for lab in found["labs"]] == ["Lab", "Other"]
    with pytest.raises(NotFound):
        early_views.seats(
            clearinghouse.person("coordinator", clearinghouse.organisation("F", "finder").id)
        )


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"closes": START + timedelta(days=31)}, "at most 30"),
        ({"closes": START}, "closes"),
        ({"session_hours": 9}, "session_hours"),
        ({"purposes": ["anything"]}, "purposes"),
        ({"calls": 10**13}, "calls"),
    ],
)
def test_within_the_packs_bounds(lab: Fixture, changes: dict[str, Any], match: str) -> None:
    story = LabStory.start(lab)
    partner = ids(story.lead, offered(story, *THREE))["Fen Bank"]
    with pytest.raises(BadInput, match=match):
        early_access.open_early_access(story.lead, partner, "p@x.example", **changes)


def test_opened_once_at_a_time_and_again_when_it_is_over(lab: Fixture, early: Early) -> None:
    partner = ids(early.lead, early.act)["Harbour Grid"]
    with pytest.raises(Refused, match="already"):
        early_access.open_early_access(early.lead, partner, "q@x.example")
    early_access.end_early_access(early.lead, early.id)
    again, _ = early_access.open_early_access(early.lead, partner, "q@x.example")
    with scoped(SYSTEM):
        assert again.org_id == early.partner.org, "the same organisation, its history with it"


def test_people_in_common_are_noticed_where_they_sign_in(lab: Fixture) -> None:
    story = LabStory.start(lab)
    story.signed()
    act_id = offered(story, *THREE)
    partner = ids(story.lead, act_id)["Fen Bank"]
    _, code = early_access.open_early_access(story.lead, partner, "pat@office.example")
    actor(lab, "pat@office.example", code)
    kinds = [c["kind"] for c in partner_view(story.lead, partner)["concerns"]]
    assert kinds == ["shares-people"]
    assert early_views.early_list(story.lead), "and it keeps nobody from anything"


def test_the_terms_speak_to_the_partner(lab: Fixture) -> None:
    pack = lab.here.pack
    library = {row["id"]: row for row in pack.records("terms", "clauses")}
    said = {clause["id"]: clause["text"] for clause in early_access.terms_of(pack)["clauses"]}
    assert list(said) == list(pack.sequence("early_access", "clauses"))
    for key, text in said.items():
        assert "office" not in text.lower(), key
        assert text != library[key]["text"], "an office is told other words"
