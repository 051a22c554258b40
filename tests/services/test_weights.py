"""Weights here: sealed as received, open in memory while served, destroyed and certified."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.services.flow import MODEL, PERSON, OfficeStory, run_due

from vedette.bench.results import RunResult, Sample
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.runner import private
from vedette.runner.subjects.server import served
from vedette.services import acceptance, assessments, custody, runs, two_person, weights
from vedette.services.acting import member
from vedette.services.testing import Fixture
from vedette.store.models import Custody, LedgerEntry, Weights
from vedette.store.tenancy import SYSTEM, scoped

CONTENT = b"weights of orion " * 20_000
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class House:
    def __init__(self, office: Fixture, folder: Path) -> None:
        self.story = OfficeStory.start(office)
        self.act = self.story.signed()
        self.eve = office.named(PERSON, "evaluator")
        acceptance.accept_terms(self.eve, self.act)
        self.file = folder / "orion.safetensors"
        self.file.write_bytes(CONTENT)

    def received(self) -> Weights:
        return weights.receive_weights(self.eve, self.act, self.file)

    def events(self, object_id: str) -> list[str]:
        with scoped(SYSTEM):
            rows = LedgerEntry.objects.filter(object_id=object_id).order_by("seq")
            return list(rows.values_list("event", flat=True))


@pytest.fixture
def house(office: Fixture, tmp_path: Path) -> House:
    return House(office, tmp_path)


def test_they_lie_sealed_and_open_in_memory_as_long_as_they_are_served(house: House) -> None:
    row = house.received()
    assert (row.digest, row.size, row.name) == (DIGEST, len(CONTENT), "orion.safetensors")
    assert house.received().id == row.id, "the same content again is the same row"
    (sealed,) = weights.folder_of(house.act).iterdir()
    assert CONTENT[:40] not in sealed.read_bytes()
    with weights.opened_weights(house.eve, row.id) as path:
        assert path.read_bytes() == CONTENT
        assert path.is_relative_to(private.places()[0])
        with (
            pytest.raises(Refused, match="open already"),
            weights.opened_weights(house.eve, row.id),
        ):
            pass
        with pytest.raises(Refused, match="goes on"):
            custody.destroy_material(house.story.officer, house.act)
    assert not path.exists()
    kinds = ["received", "opened", "closed"]
    assert house.events(row.id) == [f"custody:weights:{kind}" for kind in kinds]


def test_what_was_changed_or_does_not_fit_is_not_served(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = house.received()
    (sealed,) = weights.folder_of(house.act).iterdir()
    data = bytearray(sealed.read_bytes())
    data[-40] ^= 1
    sealed.write_bytes(data)
    with pytest.raises(BadInput, match="changed"), weights.opened_weights(house.eve, row.id):
        pass
    monkeypatch.setattr(weights.shutil, "disk_usage", lambda _: type("Free", (), {"free": 9}))
    monkeypatch.setattr(private, "ROOM", 1)
    with pytest.raises(Refused, match="no room"), weights.opened_weights(house.eve, row.id):
        pass
    assert [w.opened_at for w in weights.list_weights(house.eve)] == [None], "and it is put away"


def test_they_go_with_the_key_and_the_certificate_names_them(house: House) -> None:
    row = house.received()
    asked = custody.destroy_material(house.story.officer, house.act, "measured")
    second = member(house.story.office.here.org, "B", "reviewing-officer", host=True)
    two_person.second(second, asked.id)
    run_due()
    with scoped(SYSTEM):
        document = Custody.objects.get(act_id=house.act).certificate
    named = {(m["kind"], m["object"], m["digest"]) for m in document["material"]}
    assert ("weights as received", row.name, DIGEST) in named
    assert not weights.folder_of(house.act).exists()
    assert weights.state_of(row) == "destroyed"
    with pytest.raises(Refused, match="destroyed"), weights.opened_weights(house.eve, row.id):
        pass
    sent = house.story.lab.received("custody.destroyed")[-1]
    assert DIGEST in str(sent.body["certificate"]), "the lab gets it signed"


def test_a_run_names_them_and_reaches_the_offices_own_address(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.received()
    seen: list[Any] = []

    def as_committed(suite: Any, subjects: Any, *, plan: Any, **_: Any) -> RunResult:
        seen.extend(subjects)
        rows = [
            Sample(s.name, item, "f", 0, 0, None, {}) for s in subjects for item in plan.budgets
        ]
        return RunResult(plan, tuple(rows), (), "2026-12-01T10:00:00Z")

    monkeypatch.setattr(runs, "run_suite", as_committed)
    run = runs.start_run(
        house.eve,
        "daemons",
        references=["null"],
        act_id=house.act,
        base_url="http://127.0.0.1:8/v1",
    )
    assert (run.custody, run.state) == ("weights-here", "committed")
    (told,) = house.story.lab.received("run.committed")
    assert told.body["custody"] == "weights-here"
    runs.carry_out(run.id)
    assert (seen[0].name, seen[0].base_url) == (MODEL, "http://127.0.0.1:8/v1")
    document = assessments.make_assessment(house.eve, run.id).document
    assert document["custody"]["record"] == {
        "weights": [{"name": "orion.safetensors", "digest": DIGEST}]
    }
    assert "127.0.0.1" not in str(document), "where the office serves it is its own business"


@pytest.mark.long
@pytest.mark.any_database
def test_a_stand_in_serves_where_the_weights_cannot_be(house: House) -> None:
    row = house.received()
    with weights.opened_weights(house.eve, row.id), served("mutator") as server:
        run = runs.start_run(
            house.eve,
            "daemons",
            references=["null"],
            act_id=house.act,
            base_url=server.url,
            budget={"executions": 10, "tool_calls": 5},
        )
        runs.carry_out(run.id)
    with scoped(SYSTEM):
        found = type(run).objects.get(id=run.id)
        assert found.state == "finished", found.error
    made = assessments.make_assessment(house.eve, run.id)
    calls = {s["name"]: s["used"]["calls"] for s in made.document["subjects"]}
    assert calls[MODEL] > 0


def test_who_may(house: House, tmp_path: Path) -> None:
    with pytest.raises(Forbidden):
        weights.receive_weights(house.story.office.person("auditor"), house.act, house.file)
    with pytest.raises(NotFound):
        weights.receive_weights(house.eve, "act-2222222222222222", house.file)
    with pytest.raises(BadInput, match="No such file"):
        weights.receive_weights(house.eve, house.act, tmp_path / "gone")
    row = house.received()
    with (
        pytest.raises(Forbidden),
        weights.opened_weights(replace(house.eve, permissions=frozenset()), row.id),
    ):
        pass
    with pytest.raises(NotFound), weights.opened_weights(house.eve, "weights-x"):
        pass


def test_a_lab_receives_none(lab: Fixture) -> None:
    with pytest.raises(NotFound):
        weights.list_weights(lab.person("administrator"))
