"""The API: the engagement's acts over HTTP; strangers, repeats, pages, unknown addresses."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from tests.services.flow import CLOSES, MODEL, OPENS, PERSON, QUOTA, LabStory, OfficeStory, move

from vedette.kernel.clock import format_time
from vedette.services import accounts
from vedette.services.acting import instance_actor
from vedette.services.testing import Fixture
from vedette.store.models import Plan, Session
from vedette.store.tenancy import SYSTEM, scoped
from vedette.web.api.idempotency import ScopedOperation
from vedette.web.api.routers import api


@dataclass
class Api:
    """One person's way to the API."""

    token: str

    @classmethod
    def of(cls, role: str, email: str = "p@lab.example", org: str = "") -> Api:
        code = accounts.invite(instance_actor(), email, role, org)
        accounts.join(code, role, "correct horse battery")
        return cls(accounts.make_token(email))

    def get(self, path: str, **query: Any) -> Any:
        return Client().get(f"/api/v1{path}", query, headers=self._headers())

    def post(self, path: str, body: Any, key: str = "") -> Any:
        headers = self._headers() | ({"Idempotency-Key": key} if key else {})
        content = json.dumps(body)
        return Client().post(
            f"/api/v1{path}", content, content_type="application/json", headers=headers
        )

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


PLAN = {"model": MODEL, "partner_release": format_time(CLOSES)}
OFFER = {
    "peer": "Office",
    "kind": "access-window",
    "model": MODEL,
    "opens": format_time(OPENS),
    "closes": format_time(CLOSES),
    "purpose": "confirmation",
}


def test_the_labs_side_of_an_engagement(lab: Fixture) -> None:
    story, lead = LabStory.start(lab), Api.of("release-lead")
    plan = lead.post("/plans", PLAN)
    assert plan.status_code == 200, plan.content
    assert plan.json()["window"]["closes"] == format_time(CLOSES)
    filled = lead.post("/dossiers", {"model": MODEL, "values": {"model-name": "Orion"}})
    assert filled.json()["filled"] == 1
    decision = {"plan": plan.json()["id"], "act": "access-window", "choice": "offer"}
    assert lead.post("/decisions", decision).json()[1]["standing"]["choice"] == "offer"
    where = {"model": MODEL, "base_url": "http://127.0.0.1:9/v1", "key": "sk"}
    assert lead.post("/endpoints", where).json()[0]["has_key"]
    act = lead.post("/acts", {**OFFER, "dossier": ["model-name"]}).json()
    assert act["state"] == "offered"
    story.answer(act["id"])
    proposal = {
        "people": [{"id": PERSON, "name": "Eve"}],
        "purposes": ["confirmation"],
        "quota": QUOTA,
        "publication": "summary",
    }
    signed = lead.post(f"/acts/{act['id']}/terms", proposal).json()
    assert signed["terms"]["lab_signed_by"] == "release-lead"
    story.countersign(act["id"])
    move(lab, OPENS)
    session = story.session(act["id"])
    shown = lead.get(f"/sessions/{session}").json()
    assert (shown["state"], shown["meters"]["agree"]) == ("open", None)
    assert lead.get("/acts", state="accepted").json()["items"][0]["window"] == "open"
    assert lead.post(f"/sessions/{session}/end", {"reason": "x"}).json()["state"] == "ended"
    ended = lead.post(f"/acts/{act['id']}/end", {}).json()
    assert (ended["state"], ended["window"]) == ("withdrawn", "ended")
    again = lead.post(f"/acts/{act['id']}/again", {"opens": format_time(lab.clock.time)})
    assert again.json()["state"] == "offered"


def test_the_offices_side_of_an_engagement(office: Fixture) -> None:
    story = OfficeStory.start(office)
    officer = Api.of("reviewing-officer")
    evaluator = Api.of("evaluator", PERSON)
    act_id = story.offer()
    answered = officer.post(f"/acts/{act_id}/answer", {"answer": "accepted"})
    assert answered.json()["state"] == "accepted"
    story.propose(act_id)
    assert officer.post(f"/acts/{act_id}/terms", {}).json()["terms"]["agreed_at"]
    move(office, OPENS)
    other = {"purpose": "confirmation", "person": "somebody@office.example"}
    assert evaluator.post(f"/acts/{act_id}/sessions", other).status_code == 403
    early = evaluator.post(f"/acts/{act_id}/sessions", {"purpose": "confirmation"})
    assert early.status_code == 409
    assert "have not accepted version 1" in early.json()["detail"]
    accepted = evaluator.post(f"/acts/{act_id}/terms/accept", {}).json()["terms"]
    assert [one["person"] for one in accepted["accepted"]] == [PERSON]
    session = evaluator.post(f"/acts/{act_id}/sessions", {"purpose": "confirmation"}).json()
    assert (session["state"], session["person"]) == ("requested", PERSON)
    calls = [{"request_id": "c1", "at": format_time(OPENS), "status": 200, "input_tokens": 3}]
    path = f"/sessions/{session['id']}/calls"
    assert evaluator.post(path, {"calls": calls}).json() == {"new": 1}
    assert evaluator.post(path, {"calls": calls}).json() == {"new": 0}
    assert evaluator.get(path).json()["items"][0]["input_tokens"] == 3


def test_redlines_over_the_api(office: Fixture) -> None:
    story = OfficeStory.start(office)
    officer, evaluator = Api.of("reviewing-officer"), Api.of("evaluator", PERSON)
    act_id = story.offer(dossier={"model-name": "Orion"})
    officer.post(f"/acts/{act_id}/answer", {"answer": "accepted"})
    assert officer.get(f"/acts/{act_id}").json()["dossier"] == {"model-name": "Orion"}
    story.propose(act_id)
    at = f"/acts/{act_id}/terms/versions"
    made = officer.post(at, {"words": {"use": "For tests alone."}, "note": "Shorter."}).json()
    line = made["terms"]["versions"][0]
    assert (line["version"], line["proposed_by"], line["note"]) == (2, "office", "Shorter.")
    shown = evaluator.get(f"{at}/{line['digest']}").json()
    assert [one["id"] for one in shown["redlines"]] == ["use"]
    assert evaluator.post(at, {}).status_code == 403
    signed = officer.get(f"{at}/{line['digest']}/signed").json()
    assert (signed["office"]["signed_by"], signed["lab"]["signature"]) != ("", "x")
    assert officer.post(f"/acts/{act_id}/terms", {}).json()["terms"]["agreed_at"], "the first one"
    officers = officer.get(f"/acts/{act_id}").json()
    assert officers["dossier"] == {}
    assert "does not name you" in officers["withheld"]
    evaluator.post(f"/acts/{act_id}/terms/accept", {})
    withheld = evaluator.get(f"/acts/{act_id}").json()["withheld"]
    assert "clause confidentiality: no export" in withheld
    clauses = {row["id"]: row for row in officer.get("/clauses").json()}
    assert [use["version"] for use in clauses["use"]["uses"] if use["changed"]] == [2]
    struck = officer.post(f"/acts/{act_id}/terms/strike", {"person": PERSON}).json()["terms"]
    assert struck["struck"] == [PERSON]
    assert officer.post(f"/acts/{act_id}/terms/strike", {"person": "x"}).status_code == 400


@pytest.mark.parametrize(
    "path", ["/plans", "/acts", "/sessions", "/ledger", "/peers", "/me", "/endpoints"]
)
def test_a_stranger_gets_401_as_json(lab: Fixture, path: str) -> None:
    answer = Client().get(f"/api/v1{path}")
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert Api("vdt_wrong").post("/plans", PLAN).status_code == 401


def test_a_guest_finds_nothing_and_a_reader_may_not(lab: Fixture) -> None:
    made = Api.of("release-lead").post("/plans", PLAN).json()
    guest = Api.of("administrator", "g@guest.example", lab.organisation("Guest", "partner").id)
    assert guest.get(f"/plans/{made['id']}").status_code == 404
    assert guest.post("/plans", PLAN).status_code == 404
    assert guest.get("/acts").json()["items"] == []
    reader = Api.of("reader", "r@lab.example")
    assert reader.get(f"/plans/{made['id']}").status_code == 200
    assert reader.post("/plans", PLAN).status_code == 403
    assert reader.get("/ledger").status_code == 403
    assert reader.get("/me").json()["role"] == "reader"


def test_unknown_addresses_are_problems(lab: Fixture) -> None:
    for path in ("/api/v1/nothing", "/api/v2/acts", "/api/"):
        answer = Client().get(path)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert Api.of("release-lead").get("/acts/act-2222222222222222").status_code == 404


def test_bad_input_names_its_field(lab: Fixture) -> None:
    lead = Api.of("release-lead")
    for body, field in [
        ({"model": MODEL}, "partner_release"),
        ({**PLAN, "partner_release": "soon"}, "partner_release"),
        ({**PLAN, "partner_release": "2026-12-01T10:00"}, "zone"),
        ({**PLAN, "window_days": 31}, "window days"),
    ]:
        answer = lead.post("/plans", body)
        assert answer.status_code in (400, 422)
        assert field in answer.json()["detail"]


def test_a_repeated_request_gets_the_first_reply(lab: Fixture) -> None:
    story, lead = LabStory.start(lab), Api.of("release-lead")
    first = lead.post("/acts", OFFER, key="k1")
    again = lead.post("/acts", OFFER, key="k1")
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(story.office.received("engagement.offered")) == 1
    other = lead.post("/acts", {**OFFER, "note": "other"}, key="k1")
    assert other.status_code == 422
    elsewhere = lead.post("/plans", PLAN, key="k1")
    assert elsewhere.status_code == 422
    with scoped(SYSTEM):
        assert Plan.objects.count() == 0


def test_a_refused_request_may_be_sent_again_under_its_key(lab: Fixture) -> None:
    lead = Api.of("release-lead")
    assert lead.post("/acts", OFFER, key="k").status_code == 400
    LabStory.start(lab)
    assert lead.post("/acts", OFFER, key="k").status_code == 200


def test_a_key_is_one_organisations_own(lab: Fixture) -> None:
    LabStory.start(lab)
    assert Api.of("release-lead").post("/plans", PLAN, key="k").status_code == 200
    second = Api.of("release-lead", "second@lab.example")
    assert second.post("/plans", PLAN, key="k").status_code == 422
    guest = Api.of("administrator", "g@guest.example", lab.organisation("Guest", "partner").id)
    assert guest.post("/plans", PLAN, key="k").status_code == 404


def test_every_operation_is_scoped_and_every_post_takes_a_key() -> None:
    for bound in api._get_bound_routers():
        for view in bound.path_operations.values():
            assert all(isinstance(one, ScopedOperation) for one in view.operations)
    for path, methods in api.get_openapi_schema()["paths"].items():
        if "post" in methods:
            names = {one["name"] for one in methods["post"].get("parameters", [])}
            assert "Idempotency-Key" in names, path
        for operation in methods.values():
            assert operation["summary"]
            assert "_" not in operation["operationId"]


def test_lists_are_paged_by_cursor(lab: Fixture) -> None:
    story, lead = LabStory.start(lab), Api.of("release-lead")
    made = [story.offered() for _ in range(7)]
    seen: list[str] = []
    cursor = ""
    for _ in range(4):
        page = lead.get("/acts", limit=2, cursor=cursor).json()
        seen += [row["id"] for row in page["items"]]
        cursor = page["next"] or ""
    assert cursor == ""
    assert sorted(seen) == sorted(made)
    entries = lead.get("/ledger", limit=3).json()
    after = lead.get("/ledger", limit=3, cursor=entries["next"]).json()
    assert after["items"][0]["seq"] == entries["items"][-1]["seq"] - 1
    for wrong in ("nonsense", "W10=", "WzEsMiwzXQ==", "WyJ4IiwieSJd"):
        assert lead.get("/acts", cursor=wrong).status_code == 400
    assert lead.get("/acts", limit=0).status_code == 422


def test_the_documentation_loads_nothing_from_elsewhere(lab: Fixture) -> None:
    page = Client().get("/api/v1/docs")
    assert page.status_code == 200
    text = page.content.decode()
    assert "POST /api/v1/acts/{act_id}/answer" in text
    assert "//" not in text.replace("<!doctype", "").split("<body")[0]
    assert Client().get("/api/v1/openapi.json").json()["info"]["title"] == "Vedette"


def test_the_api_shows_no_credential(office: Fixture) -> None:
    story, evaluator = OfficeStory.start(office), Api.of("evaluator", PERSON)
    session_id = story.opened("vac_secret_one")
    with scoped(SYSTEM):
        sealed = Session.objects.get(id=session_id).sealed_credential
    shown = evaluator.get(f"/sessions/{session_id}").content.decode()
    assert "vac_secret" not in shown
    assert sealed[:30] not in shown


def test_a_copy_of_a_document_is_taken_once_a_key_and_traced(lab: Fixture) -> None:
    act = LabStory.start(lab).offered()
    lead = Api.of("release-lead")
    first = lead.post(f"/documents/act/{act}/copies", {"form": "pdf"}, key="k1")
    assert first.status_code == 200, first.content
    made = first.json()
    assert base64.b64decode(made["data"]).startswith(b"%PDF")
    assert lead.post(f"/documents/act/{act}/copies", {"form": "pdf"}, key="k1").json() == made
    (listed,) = lead.get("/documents/copies").json()
    assert listed["copy"] == made["copy"]
    assert lead.get(f"/documents/copies/{made['copy']}").json()["address"] == "p@lab.example"
    assert lead.get("/documents/copies/copy-2222222222222222").status_code == 404
    assert lead.post(f"/documents/act/{act}/copies", {"form": "docx"}).status_code in (400, 422)
    assert lead.post("/documents/plan/plan-2/copies", {"form": "pdf"}).status_code == 404
