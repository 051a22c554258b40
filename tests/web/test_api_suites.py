"""The API and the commands of sealed suites: two persons, each with a token and a code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.test import Client
from tests.web.test_api_cases import Api

from vedette.cli import bench_unseal
from vedette.cli.bench import bench
from vedette.kernel.errors import VedetteError
from vedette.kernel.permissions import Profile
from vedette.runner.scaffold import new_suite
from vedette.services import accounts
from vedette.services.acting import instance_actor
from vedette.services.suites import row_of, take_suite
from vedette.services.testing import Fixture, instance
from vedette.store.models import IdempotencyRecord, TakenSuite
from vedette.store.tenancy import SYSTEM, scoped


@pytest.fixture
def office(db: None, tmp_path: Path) -> Iterator[Fixture]:
    with instance(Profile.OFFICE, tmp_path / "office") as made:
        yield made


def taken(at: Path) -> TakenSuite:
    suite = new_suite(at)
    tried: Any = SimpleNamespace(item="example", holds=True, to_json=dict)
    return take_suite(instance_actor(), suite, [tried], seed=0)


def state_of(row: TakenSuite) -> str:
    return str(row_of(row.name, row.digest).state)


def test_two_tokens_and_two_codes_unseal_and_one_of_each_does_not(
    office: Fixture, tmp_path: Path
) -> None:
    one, two, auditor = Api("evaluator"), Api("reviewing-officer"), Api("auditor")
    first = one.did("/keyholders")["code"]
    made = two.post("/keyholders", **{"Idempotency-Key": "become"})
    second = made.json()["code"]
    again = two.post("/keyholders", **{"Idempotency-Key": "become"})
    assert again.json() == {"code": ""}, "shown once"
    assert len(one.get("/keyholders").json()) == 2
    row = taken(tmp_path / "own")
    at = f"/suites/{row.id}"
    assert one.post(f"{at}/unseal", {"code": second}).status_code == 400
    asked = one.did(f"{at}/unseal", {"code": first, "why": "for a run"})
    (waiting,) = two.get("/seconds").json()
    assert (waiting["id"], waiting["asks"]) == (asked["proposal"], "code")
    seconding = f"/seconds/{asked['proposal']}/second"
    assert one.post(seconding, {"code": first}).status_code == 403, "nobody seconds their own"
    assert one.post(seconding, {"code": second}).status_code == 403
    assert auditor.post(seconding, {"code": second}).status_code == 403
    assert Client().post(f"/api/v1{seconding}").status_code == 401
    for body, status in (({}, 400), ({"code": first}, 400), ({"code": first * 3}, 422)):
        answer = two.post(seconding, body)
        assert (answer.status_code, first in answer.content.decode()) == (status, False), body
    assert state_of(row) == "sealed"
    done = two.post(seconding, {"code": second}, **{"Idempotency-Key": "second"})
    assert done.json() == {"proposal": asked["proposal"], "state": "done"}
    assert state_of(row) == "unsealed"
    with scoped(SYSTEM):
        kept = IdempotencyRecord.objects.get(key="second")
    assert second not in kept.body + kept.request_digest
    (found,) = [s for s in one.get("/suites").json() if s["id"]]
    assert (found["id"], found["state"]) == (row.id, "unsealed")
    assert auditor.post(f"{at}/seal").status_code == 403
    assert one.did(f"{at}/seal")["state"] == "sealed"
    elsewhere = office.organisation("Other Office", "office").id
    assert Api("evaluator", elsewhere).post(f"{at}/unseal", {"code": first}).status_code == 404


def test_a_narrow_token_does_not_unseal(office: Fixture, tmp_path: Path) -> None:
    one = Api("evaluator")
    code = one.did("/keyholders")["code"]
    Api("reviewing-officer").did("/keyholders")
    row = taken(tmp_path / "own")
    narrow = accounts.make_token("evaluator-host@test.example", permissions=["bench:run:read"])
    one.headers = {"Authorization": f"Bearer {narrow}"}
    assert one.post(f"/suites/{row.id}/unseal", {"code": code}).status_code == 403


def test_a_run_is_reckoned_before_it_is_started(office: Fixture) -> None:
    told = Api("evaluator").did("/runs/plan", {"suite": "daemons", "references": ["null"]})
    assert (told["items"], told["reference_samples"], told["exposures"]) == (4, 4, None)
    assert Api("auditor").post("/runs/plan", {"suite": "daemons"}).status_code == 403


def test_decisions_are_made_by_who_may(office: Fixture, tmp_path: Path) -> None:
    officer, evaluator = Api("reviewing-officer"), Api("evaluator")
    for each in (officer, evaluator):
        each.did("/keyholders")
    row = taken(tmp_path / "own")
    body = {"act": "act-2222222222222222", "why": "to measure"}
    assert officer.post(f"/suites/{row.id}/send", body).status_code == 404
    assert evaluator.post(f"/suites/{row.id}/send", body).status_code == 403
    out = {"item": "example", "why": "found elsewhere"}
    assert officer.post("/runs/run-2222222222222222/disclose", out).status_code == 404
    assert evaluator.post("/runs/run-2222222222222222/disclose", out).status_code == 403


def test_the_commands_do_the_same_for_who_holds_the_token(
    office: Fixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_unseal, "boot", lambda folder: folder)
    tokens = {
        name: Api(role).headers["Authorization"].removeprefix("Bearer ")
        for name, role in (("ada", "evaluator"), ("bo", "reviewing-officer"))
    }

    def said(who: str, *words: str, typed: str = "") -> Result:
        env = {bench_unseal.VARIABLE: tokens.get(who, who)}
        return CliRunner().invoke(bench, words, input=typed, env=env)

    codes = {who: said(who, "keyholder").stdout.strip() for who in tokens}
    row = taken(tmp_path / "own")
    unseal = ("unseal", row.name)
    for refused in (
        said("", *unseal, typed=codes["ada"]),
        said("vdt_stranger", *unseal, typed=codes["ada"]),
        said("ada", *unseal, typed=codes["bo"]),
        said("ada", "unseal", "nowhere", typed=codes["ada"]),
        said("bo", *unseal, "--second", typed=codes["bo"]),
    ):
        assert isinstance(refused.exception, VedetteError), refused.output
        assert not any(code in str(refused.exception) for code in codes.values())
    asked = said("ada", *unseal, "--why", "run 12", typed=codes["ada"] + "\n")
    assert "--second" in asked.output
    assert said("ada", *unseal, "--second", typed=codes["ada"]).exception
    assert state_of(row) == "sealed"
    token = tmp_path / "bo.token"
    token.write_text(tokens["bo"] + "\n")
    done = said("", *unseal, "--second", "--token", str(token), typed=codes["bo"])
    assert (done.exit_code, state_of(row)) == (0, "unsealed"), done.output
    assert said("ada", "seal", row.id).exit_code == 0
    assert state_of(row) == "sealed"
