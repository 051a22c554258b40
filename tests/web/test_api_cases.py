"""From a crash to its advisory over the API: really executed, with everybody's own access."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.services.coordination import Executions, executions, opened, report
from tests.services.running import run_jobs

from vedette.bench.suites import find_suite
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import accounts, cases, findings
from vedette.services.acting import instance_actor
from vedette.services.testing import Fixture, instance
from vedette.store.models import CaseNote, CaseParticipant, Organisation
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["executions"]
ITEM = find_suite("daemons").item("regmap")
sandboxed = pytest.mark.skipif(
    not (shutil.which("bwrap") and (shutil.which("gcc") or shutil.which("clang"))),
    reason="needs bubblewrap and a C compiler",
)
PUBLISH = {
    "summary": "A block write past the register map overflows the heap.",
    "details": "The end of the block is not checked.",
    "priority": {"kev": False, "automatable": True, "impact": "total"},
}


@pytest.fixture
def house(db: None, tmp_path: Path) -> Iterator[Fixture]:
    with instance(Profile.CLEARINGHOUSE, tmp_path) as made:
        yield made


class Api:
    """One person's way to the API."""

    def __init__(self, role: str, org: str = "") -> None:
        email = f"{role}-{org or 'host'}@test.example"
        accounts.join(
            accounts.invite(instance_actor(), email, role, org), role, "correct horse battery"
        )
        self.headers = {"Authorization": f"Bearer {accounts.make_token(email)}"}

    def get(self, path: str, **query: Any) -> Any:
        return Client().get(f"/api/v1{path}", query, headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return Client().post(
            f"/api/v1{path}",
            json.dumps({} if body is None else body),
            content_type="application/json",
            headers=self.headers | headers,
        )

    def did(self, path: str, body: Any = None) -> Any:
        answer = self.post(path, body)
        assert answer.status_code == 200, answer.content
        return answer.json()


def recipe() -> dict[str, str]:
    encoded = base64.b64encode(ITEM.reference_input.read_bytes()).decode()
    return {"kind": "suite-item", "suite": "daemons", "item": ITEM.id, "input_b64": encoded}


@sandboxed
def test_a_crash_becomes_an_advisory(house: Fixture) -> None:
    office = house.peer("Office", Profile.OFFICE)
    maker = house.organisation("Norrvik Pumpworks", "vendor")
    finder = Api("finder", house.organisation("Second Finder", "finder").id)
    coordinator, vendor = Api("coordinator"), Api("vendor", maker.id)
    crash = {
        "item": ITEM.id,
        "input_b64": recipe()["input_b64"],
        "evidence": {"crash_class": ITEM.crash_class, "top_frame": ITEM.top_frame},
    }
    fields = findings.crash_fields(find_suite("daemons"), crash)
    body = {"finding": new_id("finding"), **{k: v for k, v in fields.items() if k != "marking"}}
    office.send("finding.reported", body, thread=body["finding"])
    run_jobs()
    said = finder.did(
        "/findings",
        {
            "title": "Remote memory corruption in the pump gateway",
            "product": "regmapd",
            "recipe": recipe(),
        },
    )
    run_jobs()
    told = finder.get(f"/findings/{said['id']}").json()
    assert told["state"] == "duplicate"
    assert any("same crash class" in why for why in told["why"])
    (line,) = coordinator.get("/findings", state="reproduced").json()["items"]
    assert line["crash"].startswith("heap-buffer-overflow: write_registers")
    case = coordinator.did("/cases", {"finding": line["id"], "title": "RegMap overflow"})
    assert {f["state"] for f in case["findings"]} == {"in-case", "duplicate"}
    at = f"/cases/{case['id']}"
    assert vendor.get(at).status_code == 404
    coordinator.did(f"{at}/participants", {"org": maker.name, "role": "vendor"})
    seen = vendor.get(at).json()
    assert "working" in seen["answers"]
    assert seen["findings"][0]["recipe"]["input_b64"]
    assert "reporter" not in seen["findings"][0]
    bad, good = ITEM.vulnerable[0].read_text(), ITEM.fixed[0].read_text()
    unread = vendor.post(f"{at}/fixes", {"version": "3.2.0.1", "source_b64": "u\u0080"})
    assert unread.status_code == 400
    assert "source_b64" in unread.json()["detail"]
    vendor.did(f"{at}/fixes", {"version": "3.2.0.1", "source": bad})
    run_jobs()
    assert coordinator.get(at).json()["fixes"][0]["state"] == "failed"
    vendor.did(f"{at}/fixes", {"version": "3.2.1", "source": good})
    run_jobs()
    assert coordinator.get(at).json()["state"] == "fix-verified"
    vendor.did(f"{at}/respond", {"status": "fixed", "agree_to_publish": True})
    done = coordinator.did(f"{at}/advisory", {**PUBLISH, "reason": "all participants agree"})
    (advisory,) = done["advisories"]
    assert advisory["checks"]["csaf"] == "passed"
    osv = finder.get(f"/advisories/{advisory['tracking_id']}", format="osv").json()
    assert osv["affected"][0]["database_specific"]["vedette"]["fixed_versions"] == ["3.2.1"]
    reasons = [m.body["reasons"][-1] for m in office.received("finding.answered")]
    assert f"published as {advisory['tracking_id']}" in reasons


def test_a_post_repeated_under_its_key_is_done_once(house: Fixture, executions: Executions) -> None:
    made = opened(house)
    coordinator = Api("coordinator")
    path, key = f"/cases/{made.id}/notes", {"Idempotency-Key": "k1"}
    first = coordinator.post(path, {"text": "hello"}, **key)
    assert coordinator.post(path, {"text": "hello"}, **key).json() == first.json()
    assert len(coordinator.get(path).json()["items"]) == 1
    assert "Idempotency-Replayed" not in first.headers


def test_an_import_is_idempotent_and_says_what_it_rejects(
    house: Fixture, executions: Executions
) -> None:
    coordinator = Api("coordinator")
    rows = [report(id="A-1", recipe=None), {"id": "A-2"}, report(id="A-3", recipe=None)]
    first = coordinator.did("/findings/import", {"findings": rows})
    assert (first["accepted"], first["duplicates"], first["rejected"]) == (1, 1, 1)
    assert first["rejections"] == [{"line": 2, "reason": "2: title: missing"}]
    again = coordinator.did("/findings/import", {"findings": rows})
    assert (again["accepted"], again["already_known"], again["duplicates"]) == (0, 2, 0)


def test_access_by_role(house: Fixture, executions: Executions) -> None:
    made = opened(house)
    finding_id = Api("coordinator").get("/findings").json()["items"][0]["id"]
    org = house.organisation("Elsewhere", "vendor").id
    vendor, auditor, finder = Api("vendor", org), Api("auditor"), Api("finder", org)
    assert vendor.get("/cases").json()["items"] == []
    for path in ("", "/notes"):
        assert vendor.get(f"/cases/{made.id}{path}").status_code == 404
        assert auditor.get(f"/cases/{made.id}{path}").status_code == 403
    assert finder.get("/findings").json()["items"] == []
    assert finder.get(f"/findings/{finding_id}").status_code == 404
    assert vendor.get("/findings").status_code == 403
    for act in ("respond", "notes", "severity", "fixes"):
        body = {"status": "working", "text": "x", "vector": "AV:N", "version": "1", "source": "x"}
        assert vendor.post(f"/cases/{made.id}/{act}", body).status_code in (400, 404)
        assert auditor.post(f"/cases/{made.id}/{act}", body).status_code == 403
    for act in ("advisory", "close", "mail", "participants", "public-fix", "embargo", "findings"):
        body = {**PUBLISH, "reason": "x", "to": "a@b.example", "org": org, "finding": finding_id}
        assert vendor.post(f"/cases/{made.id}/{act}", body).status_code == 403, act
    assert Client().get("/api/v1/cases").status_code == 401


def test_a_case_with_121_vendors_opens_in_few_queries(
    house: Fixture, executions: Executions
) -> None:
    made = opened(house)
    coordinator = house.person("coordinator")
    with CaptureQueriesContext(
        connection,
    ) as few:
        shown = Api("coordinator").get(f"/cases/{made.id}")
    assert shown.status_code == 200
    now = house.clock.time
    with scoped(SYSTEM):
        orgs = [Organisation(name=f"Vendor {n}", kind="vendor", added_at=now) for n in range(121)]
        Organisation.objects.bulk_create(orgs)
        CaseParticipant.objects.bulk_create(
            CaseParticipant(
                org=org, case=made, role="vendor", terms="Ours.", invited_at=now, zone="UTC"
            )
            for org in orgs
        )
        CaseNote.objects.bulk_create(
            CaseNote(org=orgs[n % 121], case=made, author="A", text="x" * 500, at=now)
            for n in range(150)
        )
    cases.note(coordinator, made.id, "one more")
    with CaptureQueriesContext(connection) as many:
        shown = Api("reader").get(f"/cases/{made.id}").json()
    assert (len(shown["participants"]), shown["note_count"]) == (121, 151)
    assert shown["counts"] == {"invited": 121}
    assert len(many) <= len(few)
