"""Items there and joint: a bundle leaves the office, runs elsewhere, its results come back."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from tests.bench.test_bundle import ADA, BO, LAB
from tests.services.flow import MODEL, PERSON, LabStory, OfficeStory
from tests.services.sealed_suites import Certified, two_holders, unseal
from tests.web.visitors import visitor

from vedette.bench.bundle import RELEASE, Manifest, open_bundle, release, seal_results
from vedette.bench.results import RunResult, Sample
from vedette.bench.suites import Suite
from vedette.kernel.canonical import canonical
from vedette.kernel.dsse import sign
from vedette.kernel.errors import BadInput, Forbidden, Refused
from vedette.kernel.ids import new_id
from vedette.kernel.keys import PrivateKeys
from vedette.runner import bundles, private
from vedette.runner.joint.recorded import Recorded
from vedette.runner.subjects.server import served
from vedette.services import (
    acceptance,
    assessments,
    exposures,
    run_commitments,
    run_keys,
    run_returns,
    runs,
    two_person,
)
from vedette.services.acting import member, reading
from vedette.services.suites import take_suite
from vedette.services.testing import Fixture
from vedette.store.models import Exposure, LedgerEntry, Run
from vedette.store.tenancy import SYSTEM, scoped

HOLDERS = (ADA.public, BO.public)


class House:
    """An office with terms signed with a lab, and a person who may read under them."""

    def __init__(self, office: Fixture) -> None:
        self.story = OfficeStory.start(office)
        self.act = self.story.signed()
        self.eve = office.named(PERSON, "evaluator")
        acceptance.accept_terms(self.eve, self.act)

    def away(self, custody: str, suite: str = "daemons", **more: Any) -> Run:
        return runs.start_run(
            self.eve, suite, references=["null"], custody=custody, act_id=self.act, **more
        )

    def stored(self, run: Run) -> Run:
        with scoped(SYSTEM):
            return Run.objects.get(id=run.id)

    def missing(self, run: Run) -> list[str]:
        with scoped(SYSTEM):
            return run_keys.waiting(Run.objects.get(id=run.id))


@pytest.fixture
def house(office: Fixture) -> House:
    return House(office)


def made_there(data: bytes, row: Run, lab: PrivateKeys, target: Path) -> bytes:
    """Results as a lab would send them, of samples that nobody solved."""
    manifest = Manifest.from_json(row.custody_record["bundle"])
    keys = [canonical(release(manifest, holder)) for holder in (ADA, BO)]
    opened = open_bundle(data, keys, lab, target, source="b")
    plan = opened.commitment
    told = (f"as {opened.suite.canary}",)
    samples = [
        Sample(
            str(s["name"]), item, "f", 0, 0, None, {}, ended="gave up", trajectory=told, noted=()
        )
        for s in plan.subjects
        for item in plan.budgets
    ]
    result = RunResult(plan, tuple(samples), (), "2026-12-02T09:00:00Z")
    return canonical(seal_results(manifest, opened, result, lab))


def sealed_suite(house: House, certified: Certified) -> str:
    """A suite that is taken in, unsealed, and may be open to the lab; its name."""
    suite, certificates = certified
    holders = two_holders(house.story.office)
    row = take_suite(holders[0][0], suite, certificates, seed=0)
    unseal(row, holders)
    asked = exposures.decide_sending(house.story.officer, row.id, house.act, "to measure")
    colleague = member(house.story.office.here.org, "B", "reviewing-officer", host=True)
    two_person.second(colleague, asked.id)
    return suite.name


def test_sealed_items_leave_as_a_part_and_count_as_exposed(
    house: House, certified: Certified, tmp_path: Path
) -> None:
    run = house.away("items-there", sealed_suite(house, certified))
    for _ in range(2):
        _, data = run_returns.bundle_run(house.eve, run.id, holders=HOLDERS, place=LAB.public)
    with scoped(SYSTEM):
        seen = list(Exposure.objects.values_list("custody", "subject", "item__number"))
    assert sorted(seen) == [("here", "null", 1), ("items-there", MODEL, 1)], "once, not twice"
    results = made_there(data, house.stored(run), LAB, tmp_path / "s")
    back = run_returns.take_run_results(house.eve, run.id, results)
    assert back.state == "finished"
    assert back.result["flags"]["counts"] == {MODEL: {"canary": 1}}, "searched for here"
    assert back.custody_record["results_digest"] != RunResult.from_json(back.result).digest


@pytest.mark.long
@pytest.mark.any_database
def test_items_go_out_encrypted_run_there_and_come_back(
    house: House, certified: Certified, tmp_path: Path
) -> None:
    run = house.away(
        "items-there", sealed_suite(house, certified), model="mutator-2", budget={"executions": 20}
    )
    commitment, data = run_returns.bundle_run(house.eve, run.id, holders=HOLDERS, place=LAB.public)
    assert commitment["payloadType"].endswith("run-commitment+json")
    bundle, out = tmp_path / "b", tmp_path / "out"
    bundle.write_bytes(data)
    manifest = Manifest.from_json(house.stored(run).custody_record["bundle"])
    keys = [canonical(release(manifest, holder)) for holder in (ADA, BO)]
    with served("mutator") as server:
        address = {"base_url": server.url}
        back = bundles.run_bundle(bundle, keys, LAB, out_dir=out, addresses=address)
        again = bundles.run_bundle(bundle, keys, LAB, out_dir=out, addresses=address)
    left = b"".join(p.read_bytes() for p in out.rglob("*.jsonl"))
    assert b"example" not in left, "samples lie sealed"
    done = run_returns.take_run_results(house.eve, run.id, canonical(back))
    assert (done.state, done.progress["done"]) == ("finished", 2)
    with pytest.raises(Refused, match="finished"):
        run_returns.take_run_results(house.eve, run.id, canonical(again))
    with scoped(SYSTEM):
        events = set(LedgerEntry.objects.filter(object_id=run.id).values_list("event", flat=True))
    assert events >= {"bench:run:committed", "bench:run:bundled", "bench:run:finished"}
    made = assessments.make_assessment(house.eve, run.id)
    custody = made.document["custody"]
    assert custody["name"] == "items-there"
    assert "counts as exposed to the lab" in custody["report"]
    assert custody["record"]["results_signed_by"] == LAB.public.keyid
    assert "bundle" not in custody["record"]


@pytest.mark.any_database
def test_on_the_labs_machine_items_lie_open_in_memory_only_and_while_it_runs(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = house.away("items-there")
    _, data = run_returns.bundle_run(house.eve, run.id, holders=HOLDERS, place=LAB.public)
    (tmp_path / "b").write_bytes(data)
    stale = private.places()[0] / f"{private.PREFIX}left"
    stale.mkdir()
    seen: dict[str, Any] = {}

    def look(suite: Suite, subjects: Any, *, plan: Any, box: Any, cache_dir: Path, **_: Any) -> Any:
        seen.update(root=suite.root, key=box.key.id, cache=cache_dir)
        assert suite.root.is_relative_to(private.places()[0])
        assert cache_dir.is_relative_to(suite.root.parent)
        assert suite.root.parent.stat().st_mode & 0o077 == 0
        assert next((s.name, s.kind, s.base_url) for s in subjects) == (MODEL, "endpoint", "u")
        if "fail" in seen:
            raise Refused("it broke off")
        return RunResult(plan, (), (), "2026-12-02T09:00:00Z")

    monkeypatch.setattr(bundles, "run_suite", look)
    manifest = Manifest.from_json(house.stored(run).custody_record["bundle"])
    keys = [canonical(release(manifest, holder)) for holder in (BO, ADA)]
    given: dict[str, Any] = {"out_dir": tmp_path / "out", "addresses": {"base_url": "u"}}
    bundles.run_bundle(tmp_path / "b", keys, LAB, **given)
    assert not seen["root"].parent.exists()
    assert not stale.exists(), "what a killed process left is swept"
    first = seen["key"]
    seen["fail"] = True
    with pytest.raises(Refused, match="broke off"):
        bundles.run_bundle(tmp_path / "b", keys, LAB, **given)
    assert (seen["key"], seen["root"].parent.exists()) == (first, False)
    with pytest.raises(BadInput, match="where is it served"):
        bundles.run_bundle(tmp_path / "b", keys, LAB, out_dir=tmp_path, addresses={})
    monkeypatch.setattr(private, "places", list)
    with pytest.raises(Refused, match="in memory only"):
        bundles.run_bundle(tmp_path / "b", keys, LAB, **given)


def test_a_third_place_is_attested_from_outside_and_that_is_said(
    house: House, tmp_path: Path
) -> None:
    run = house.away("joint")
    digest = run_commitments.plan_in(run).digest
    with pytest.raises(BadInput, match="a third place has keys of its own"):
        run_returns.bundle_run(house.eve, run.id, holders=HOLDERS)
    _, data = run_returns.bundle_run(house.eve, run.id, holders=HOLDERS, place=LAB.public)
    results = made_there(data, house.stored(run), LAB, tmp_path / "s")
    with pytest.raises(BadInput, match="come with one"):
        run_returns.take_run_results(house.eve, run.id, results)
    for verifier, words in (("", "it fits"), ("A verifier", "")):
        with pytest.raises(BadInput, match="verifier"):
            run_returns.take_run_results(
                house.eve, run.id, results, Recorded(b"{}", verifier, words)
            )
    report = json.dumps({"nonce": digest}).encode()
    place = Recorded(report, "A verifier", "The measurement is the agreed one.")
    run_returns.take_run_results(house.eve, run.id, results, place)
    record = house.stored(run).custody_record
    assert record["attestation_words"] == "The measurement is the agreed one."
    assert record["attestation_bound"] == "yes"
    assert "not checked" in record["attestation_method"]
    assert not Recorded(b"{}", "a", "b").attest(digest).bound
    with reading(house.eve):
        assert runs.result_of(runs.find_run(run.id)).commitment.digest == digest


def test_results_of_an_earlier_bundle_or_from_another_are_not_taken(
    house: House, tmp_path: Path
) -> None:
    run = house.away("items-there")
    assert run.subjects[0]["name"] == MODEL
    with pytest.raises(Refused, match="no bundle of this run"):
        run_returns.take_run_results(house.eve, run.id, b"{}")
    _, first = run_returns.bundle_run(house.eve, run.id, holders=HOLDERS, place=LAB.public)
    old = made_there(first, house.stored(run), LAB, tmp_path / "a")
    run_returns.bundle_run(house.eve, run.id, holders=HOLDERS)
    with pytest.raises(Refused, match="not signed by the key"):
        run_returns.take_run_results(house.eve, run.id, old)
    assert house.stored(run).custody_record["bundled_for"] == house.story.lab.keys.public.keyid
    assert house.stored(run).state == "away"
    here = runs.start_run(house.eve, "daemons", references=["null"])
    with pytest.raises(Refused, match="its items do not leave"):
        run_returns.bundle_run(house.eve, here.id, holders=HOLDERS)
    with pytest.raises(Forbidden):
        run_returns.bundle_run(
            house.story.office.person("auditor"), run.id, holders=HOLDERS, place=LAB.public
        )


def test_two_persons_give_the_two_keys_by_message(
    house: House, certified: Certified, tmp_path: Path
) -> None:
    run = house.away("items-there", sealed_suite(house, certified))
    bo = house.story.office.named("bo@office.example", "reviewing-officer")
    with pytest.raises(Refused, match="no bundle of this run"):
        run_keys.give_key(house.eve, run.id, b"{}")
    _, data = run_returns.bundle_run(house.eve, run.id, holders=HOLDERS)
    manifest = Manifest.from_json(house.stored(run).custody_record["bundle"])
    outer, inner = (canonical(release(manifest, holder)) for holder in (ADA, BO))
    assert house.missing(run) == ["outer", "inner"]
    forged = canonical(sign(b64decode(json.loads(outer)["payload"]), RELEASE, BO))
    for wrong in (b"{}", canonical({"payload": "", "payloadType": "x", "signatures": []}), forged):
        with pytest.raises(BadInput):
            run_keys.give_key(house.eve, run.id, wrong)
    own = json.loads(b64decode(json.loads(outer)["payload"]))
    other = {**own, "by": {"ed25519": LAB.public.ed25519, "age": LAB.public.age}}
    with pytest.raises(Refused, match="was not sealed to who signed this"):
        run_keys.give_key(house.eve, run.id, canonical(sign(canonical(other), RELEASE, LAB)))
    run_keys.give_key(house.eve, run.id, outer)
    with pytest.raises(Forbidden, match="two persons"):
        run_keys.give_key(house.eve, run.id, inner)
    with pytest.raises(Refused, match="given already"):
        run_keys.give_key(bo, run.id, outer)
    with pytest.raises(Forbidden):
        run_keys.give_key(house.story.office.person("auditor"), run.id, inner)
    run_keys.give_key(bo, run.id, inner)
    assert house.missing(run) == []
    sent = house.story.lab.received("run.key-given")
    assert sorted(message.body["layer"] for message in sent) == ["inner", "outer"]
    keys = [canonical(message.body["key"]) for message in sent]
    opened = open_bundle(data, keys, house.story.lab.keys, tmp_path / "s", source="b")
    assert opened.commitment == run_commitments.plan_in(house.stored(run))
    given = house.stored(run).custody_record["given"]
    assert {layer: each["by"] for layer, each in given.items()} == {
        "outer": PERSON,
        "inner": "bo@office.example",
    }
    with scoped(SYSTEM):
        entries = LedgerEntry.objects.filter(object_id=run.id, event="bench:key:given")
        assert sorted(e.message_id for e in entries) == sorted(m.id for m in sent)
    run_returns.bundle_run(house.eve, run.id, holders=HOLDERS)
    assert house.missing(run) == ["outer", "inner"], "another bundle, other keys"
    with pytest.raises(BadInput, match="is for"):
        run_keys.give_key(house.eve, run.id, outer)
    run_returns.bundle_run(house.eve, run.id, holders=HOLDERS, place=LAB.public)
    with pytest.raises(Refused, match="third place"):
        run_keys.give_key(house.eve, run.id, outer)


def test_the_lab_keeps_the_keys_that_it_was_given(lab: Fixture) -> None:
    story = LabStory.start(lab)
    act = story.accepted()
    body = {"run": new_id("run"), "act": act, "bundle": new_id("bundle"), "layer": "outer"}
    for _ in range(2):
        story.office.send("run.key-given", {**body, "key": {"payload": "x"}}, thread=act)
    lead = lab.person("release-lead")
    (row,) = run_keys.given_keys(lead, bundle=body["bundle"])
    assert run_keys.as_json(run_keys.given_key(lead, act, row.id))["key"] == {"payload": "x"}
    assert run_keys.given_keys(lead, act_id="act-2222222222222222") == []
    page = visitor(lab, "release-lead")
    assert f"/acts/{act}/keys/{row.id}/" in page.get(f"/acts/{act}/").content.decode()
    assert page.get(f"/acts/{act}/keys/{row.id}/").json() == {"payload": "x"}
    with pytest.raises(Forbidden):
        run_keys.given_keys(lab.person("auditor"))
