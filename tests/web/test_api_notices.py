"""The operators' acts over the API: works, another tenant, read-only, signed out."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from tests.services.advisories import CORRECTION, public_record, publish_correction, sbom
from tests.services.running import run_jobs

from vedette.kernel.permissions import Profile
from vedette.services import accounts
from vedette.services.acting import instance_actor
from vedette.services.testing import Fixture, instance

OLD, FIXED = "pkg:pypi/ujson@5.1.0", "pkg:pypi/ujson@5.2.0"


@pytest.fixture
def house(db: None, tmp_path: Path) -> Iterator[Fixture]:
    with instance(Profile.CLEARINGHOUSE, tmp_path) as made:
        yield made


class Api:
    """One person's way to the API."""

    def __init__(self, role: str, org: str = "") -> None:
        email = f"{role}-{org or 'host'}@api.example"
        code = accounts.invite(instance_actor(), email, role, org)
        accounts.join(code, role, "correct horse battery")
        self.headers = {"Authorization": f"Bearer {accounts.make_token(email)}"}

    def get(self, path: str, **query: Any) -> Any:
        return Client().get(f"/api/v1{path}", query, headers=self.headers)

    def post(self, path: str, body: Any = None, key: str = "") -> Any:
        raw = isinstance(body, bytes)
        return Client().post(
            f"/api/v1{path}",
            body if raw else json.dumps(body or {}),
            content_type="application/octet-stream" if raw else "application/json",
            headers=self.headers | ({"Idempotency-Key": key} if key else {}),
        )


def take(api: Api, *purls: str) -> Any:
    data = base64.b64encode(sbom(*purls)).decode()
    answer = api.post("/inventories", {"name": "plant", "data": data})
    assert answer.status_code == 200, answer.content
    run_jobs()
    return answer.json()


def test_from_import_to_verified(house: Fixture) -> None:
    coordinator = Api("coordinator")
    org = house.organisation("Utility", "operator")
    operator, reader = Api("operator", org.id), Api("reader", org.id)
    other = Api("operator", house.organisation("Other", "operator").id)
    imported = coordinator.post("/index/records?source=public", public_record())
    assert imported.json()["accepted"] == 1, imported.content
    publish_correction(house)
    built = coordinator.post("/index", key="k1").json()
    assert (built["advisories"], built["current"]) == (2, True)
    assert coordinator.post("/index", key="k1").json() == built
    assert coordinator.get("/index").json() == [built]
    take(operator, OLD)
    (notice,) = operator.get("/notices").json()["items"]
    path = f"/notices/{notice['id']}"

    assert reader.get(path).status_code == 200
    assert reader.post(f"{path}/answer", {"state": "patched"}).status_code == 403
    for stranger in (other, coordinator):
        assert stranger.get("/notices").json()["items"] == []
        assert stranger.get(path).status_code == 404
    assert other.post(f"{path}/answer", {"state": "patched"}).status_code == 404
    assert Client().get(f"/api/v1{path}").status_code == 401

    bad = operator.post(f"{path}/answer", {"state": "deferred", "control": "segmented"})
    assert (bad.status_code, "expires" in bad.json()["detail"]) == (400, True)
    body = {"state": "deferred", "control": "segmented", "expires": "2027-01-31"}
    deferred = operator.post(f"{path}/answer", body).json()
    assert deferred["expires_at"] == "2027-01-31T00:00:00Z"
    assert operator.post(f"{path}/answer", {"state": "patched"}).json()["state"] == "patched"
    assert operator.post(f"{path}/verify").status_code == 409
    take(operator, FIXED)
    verified = operator.post(f"{path}/verify").json()
    assert (verified["state"], verified["answers"]) == ("verified", [])

    said = coordinator.get(f"/advisories/{CORRECTION}/answers").json()
    assert said["counts"] == {"silent": 1, "verified": 1}
    assert operator.get(f"/advisories/{CORRECTION}/answers").status_code == 404


def test_an_inventory_as_a_file(house: Fixture) -> None:
    operator = Api("operator", house.organisation("Utility", "operator").id)
    taken = operator.post(
        "/inventories/file?name=site&exposed=true", b"product,version\npump,1.0\n"
    )
    assert taken.json()["format"] == "CSV"
    assert operator.get(f"/inventories/{taken.json()['id']}").json() == taken.json()
    broken = operator.post("/inventories/file?name=site", b"\x00\x01\x02")
    assert broken.status_code == 400
    assert broken.json()["kept"] == "the inventory as it was"
    assert [row["id"] for row in operator.get("/inventories").json()] == [taken.json()["id"]]
    assert operator.post("/inventories", {"name": "x", "data": "***"}).status_code == 400
    assert operator.post("/index/pull", {}).status_code == 404


def test_matches_marks_and_matching_by_hand(house: Fixture) -> None:
    coordinator = Api("coordinator")
    org = house.organisation("Utility", "operator")
    operator, reader = Api("operator", org.id), Api("reader", org.id)
    other = Api("operator", house.organisation("Other", "operator").id)
    publish_correction(house)
    coordinator.post("/index")
    take(operator, OLD)
    (by_document,) = reader.get("/matches").json()
    (by_asset,) = reader.get("/matches", by="asset").json()
    assert by_document["key"] == CORRECTION
    assert by_asset["key"] == {"inventory": "plant", "component": OLD}
    (line,) = by_asset["matches"]
    assert (line["status"], line["marked"]) == ("not-remediated", False)
    path, body = f"/notices/{line['notice']}/assets", {"components": [OLD], "status": "done"}
    assert other.post(path, body).status_code == 404
    assert reader.post(path, body).status_code == 403
    assert Client().get("/api/v1/matches").status_code == 401
    (marked,) = operator.post(path, body).json()
    assert marked["status"] == "done"
    statistics = reader.get("/matches/statistics", document=CORRECTION).json()
    assert (statistics["assets"], statistics["by_status"]["done"]) == (1, 1)
    assert operator.post(path, {**body, "components": ["x"]}).status_code == 400
    asked = operator.post("/matches/again", {"documents": [CORRECTION]})
    assert asked.json() == {"asked": [CORRECTION]}
    assert run_jobs() == 1
    assert reader.post("/matches/again", {"documents": [CORRECTION]}).status_code == 403
    assert other.get("/matches").json() == []


def test_several_notices_take_one_answer_and_it_is_undone(house: Fixture) -> None:
    org = house.organisation("Utility", "operator")
    operator, reader = Api("operator", org.id), Api("reader", org.id)
    other = Api("operator", house.organisation("Other", "operator").id)
    publish_correction(house, priority={"kev": True})
    Api("coordinator").post("/index")
    take(operator, OLD)
    (notice,) = reader.get("/notices", verdict="affected", row="y/n/y/total").json()["items"]
    assert reader.get("/notices", confidence="possible").json()["items"] == []
    body = {"notices": [notice["id"]], "state": "patched"}
    assert Client().post("/api/v1/answers").status_code == 401
    assert reader.post("/answers", body).status_code == 403
    assert other.post("/answers", body).status_code == 404
    made = operator.post("/answers", body).json()
    assert (made["notices"], made["refused"]) == ([notice["id"]], {})
    for stranger, status in ((reader, 403), (other, 404)):
        assert stranger.post(f"/answers/{made['batch']}/undo").status_code == status
    assert operator.post(f"/answers/{made['batch']}/undo").json()["notices"] == [notice["id"]]
    assert operator.get(f"/notices/{notice['id']}").json()["state"] == "unanswered"
