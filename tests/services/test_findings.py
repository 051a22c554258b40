"""A finding arrives, is executed here, deconflicted, and its reporter is told."""

from __future__ import annotations

from typing import Any

import pytest
from django_tasks_db.models import DBTaskResult
from tests.services.coordination import (
    FRAMES,
    Executions,
    events,
    executions,
    finding,
    recipe,
    report,
    shown,
)

from vedette.bench.suites import find_suite
from vedette.kernel.canonical import canonical
from vedette.kernel.errors import BadInput, Forbidden, MissingPart, NotFound
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import findings, reproduction
from vedette.services.testing import FakePeer, Fixture
from vedette.store.models import Finding, Organisation, Reproduction
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["executions"]


def message(**changes: Any) -> dict[str, Any]:
    return {"finding": new_id("finding"), "description": "", **report(**changes)}


def only() -> Finding:
    with scoped(SYSTEM):
        return Finding.objects.get()


def test_a_message_becomes_a_finding_of_its_peer_and_the_peer_is_answered(
    clearinghouse: Fixture, executions: Executions
) -> None:
    office = clearinghouse.peer("Office", Profile.OFFICE)
    body = message()
    assert office.send("finding.reported", body, thread=body["finding"]).status == "accepted"
    row = only()
    with scoped(SYSTEM):
        org = Organisation.objects.get(id=row.org_id)
    assert (org.name, org.kind, org.host) == ("Office", "office", False)
    assert DBTaskResult.objects.filter(queue_name="long").count() == 1
    reproduction.reproduce_finding(row.id)
    assert finding(row.id).state == "reproduced"
    (answer,) = office.received("finding.answered")
    assert answer.thread == body["finding"]
    assert answer.body["state"] == "reproduced"
    assert "write_registers" in answer.body["reasons"][0]
    assert events(row.id) == ["finding:finding:received", "finding:finding:reproduced"]


def test_the_same_content_twice_is_one_finding(
    clearinghouse: Fixture, executions: Executions
) -> None:
    office = clearinghouse.peer("Office", Profile.OFFICE)
    body = message()
    office.send("finding.reported", body, thread=body["finding"])
    reproduction.reproduce_finding(only().id)
    assert office.send("finding.reported", body, thread=body["finding"]).status == "accepted"
    only()
    assert len(office.received("finding.answered")) == 2
    finder = clearinghouse.person("finder", clearinghouse.organisation("F", "finder").id)
    first = findings.report_finding(finder, report())
    assert findings.report_finding(finder, report()).id == first.id


def test_a_peer_does_not_take_over_a_member_of_its_name(clearinghouse: Fixture) -> None:
    member = clearinghouse.organisation("Office", "vendor")
    body = message()
    clearinghouse.peer("Office", Profile.OFFICE).send(
        "finding.reported", body, thread=body["finding"]
    )
    assert only().org_id != member.id


def test_a_job_killed_before_or_after_its_transaction_changes_nothing_twice(
    clearinghouse: Fixture, executions: Executions, monkeypatch: pytest.MonkeyPatch
) -> None:
    finder = clearinghouse.person("finder", clearinghouse.organisation("F", "finder").id)
    row = findings.report_finding(finder, report())

    def killed(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(reproduction, "reply", killed)
        with pytest.raises(KeyboardInterrupt):
            reproduction.reproduce_finding(row.id)
    assert finding(row.id).state == "received"
    for _ in range(2):
        reproduction.reproduce_finding(row.id)
    with scoped(SYSTEM):
        assert Reproduction.objects.count() == 1
    assert events(row.id).count("finding:finding:reproduced") == 1


def test_another_finders_words_for_the_same_crash_are_a_duplicate(
    clearinghouse: Fixture, executions: Executions
) -> None:
    office = clearinghouse.peer("Office", Profile.OFFICE)
    body = message()
    office.send("finding.reported", body, thread=body["finding"])
    first = only()
    reproduction.reproduce_finding(first.id)
    finder = clearinghouse.person("finder", clearinghouse.organisation("F", "finder").id)
    second = findings.report_finding(
        finder,
        report(title="Remote write-what-where", product="regmapd", recipe=recipe(b"other")),
    )
    reproduction.reproduce_finding(second.id)
    found = finding(second.id)
    assert (found.state, found.duplicate_of_id) == ("duplicate", first.id)
    assert any("frames" in why and "write_registers" in why for why in found.why)


def test_another_crash_in_the_same_product_is_none(
    clearinghouse: Fixture, executions: Executions
) -> None:
    finder = clearinghouse.person("finder", clearinghouse.organisation("F", "finder").id)
    for top in ("write_registers", "read_block"):
        executions.finding = shown(frames=[top, "serve", "handle"])
        row = findings.report_finding(finder, report(recipe=recipe(top.encode())))
        reproduction.reproduce_finding(row.id)
    assert finding(row.id).state == "reproduced"


def test_text_alone_is_compared_where_nothing_can_be_executed_and_can_be_told_apart(
    clearinghouse: Fixture, executions: Executions
) -> None:
    one = clearinghouse.person("finder", clearinghouse.organisation("F", "finder").id)
    two = clearinghouse.person("finder", clearinghouse.organisation("G", "finder").id)
    first = findings.report_finding(one, report())
    reproduction.reproduce_finding(first.id)
    text = {"title": "heap-buffer-overflow", "product": "RegMap Gateway", "stack": FRAMES}
    second = findings.report_finding(two, text)
    reproduction.reproduce_finding(second.id)
    assert finding(second.id).duplicate_of_id == first.id
    coordinator = clearinghouse.person("coordinator")
    findings.tell_apart(coordinator, second.id, "they differ in the block's length")
    reproduction.reproduce_finding(second.id)
    assert finding(second.id).state == "received"


def test_without_a_recipe_a_finding_waits_for_one(
    clearinghouse: Fixture, executions: Executions
) -> None:
    finder = clearinghouse.person("finder", clearinghouse.organisation("F", "finder").id)
    row = findings.report_finding(finder, report(recipe=None))
    reproduction.reproduce_finding(row.id)
    assert finding(row.id).state == "received"
    assert "recipe" in finding(row.id).answer["reasons"][0]
    findings.add_recipe(finder, row.id, recipe())
    reproduction.reproduce_finding(row.id)
    assert finding(row.id).state == "reproduced"


def test_what_does_not_crash_is_not_reproduced_with_its_reason(
    clearinghouse: Fixture, executions: Executions
) -> None:
    finder = clearinghouse.person("finder", clearinghouse.organisation("F", "finder").id)
    executions.finding = shown(reproduced=False, frames=[], reason="no crash at all")
    row = findings.report_finding(finder, report())
    reproduction.reproduce_finding(row.id)
    assert finding(row.id).state == "not-reproduced"
    assert finding(row.id).why == ["no crash at all"]
    executions.finding = BadInput("recipe: script is no Python")
    other = findings.report_finding(finder, report(title="Another"))
    reproduction.reproduce_finding(other.id)
    assert finding(other.id).state == "not-reproduced"


def test_without_a_sandbox_the_finding_is_kept_and_tried_again(
    clearinghouse: Fixture, executions: Executions
) -> None:
    executions.finding = MissingPart("no bubblewrap")
    finder = clearinghouse.person("finder", clearinghouse.organisation("F", "finder").id)
    row = findings.report_finding(finder, report())
    reproduction.reproduce_finding(row.id)
    assert finding(row.id).state == "received"
    assert "no bubblewrap" in finding(row.id).why[0]
    executions.finding = shown()
    reproduction.reproduce_finding(row.id)
    assert finding(row.id).state == "reproduced"


@pytest.mark.parametrize(
    "bad",
    [
        {"title": ""},
        {"title": "x" * 2_001},
        {"description": "nul \0"},
        {"recipe": {"kind": "suite-item"}},
        {"evidence": {"share": 0.5}},
        {"marking": "loud"},
        {"vendor": 7},
    ],
)
def test_hostile_fields_are_refused_by_name(clearinghouse: Fixture, bad: dict[str, Any]) -> None:
    finder = clearinghouse.person("finder", clearinghouse.organisation("F", "finder").id)
    with pytest.raises(BadInput, match="share" if "evidence" in bad else next(iter(bad))):
        findings.report_finding(finder, report(**bad))


def test_access(clearinghouse: Fixture) -> None:
    finder = clearinghouse.person("finder", clearinghouse.organisation("F", "finder").id)
    row = findings.report_finding(finder, report(recipe=None))
    stranger = clearinghouse.person("finder", clearinghouse.organisation("G", "finder").id)
    with pytest.raises(NotFound):
        findings.add_recipe(stranger, row.id, recipe())
    with pytest.raises(Forbidden):
        findings.report_finding(clearinghouse.person("auditor"), report())
    with pytest.raises(Forbidden):
        findings.tell_apart(finder, row.id, "mine")


def test_an_office_reports_to_the_clearinghouse_with_a_copy_to_the_lab(office: Fixture) -> None:
    house = office.peer("Clearing", Profile.CLEARINGHOUSE)
    lab = office.peer("Lab", Profile.LAB)
    suite = find_suite("daemons")
    crash = {"item": "regmap", "input_b64": "eA==", "evidence": shown(), "subjects": ["mutator"]}
    fields = findings.crash_fields(suite, crash)
    canonical(fields)
    row = findings.report_finding(office.person("evaluator"), fields, copy_to="Lab")
    (sent,), (copy,) = house.received("finding.reported"), lab.received("finding.copied")
    assert sent.body == copy.body
    assert sent.body["recipe"]["item"] == "regmap"
    reply = {"finding": row.id, "state": "reproduced", "reasons": ["executed"]}
    assert house.send("finding.answered", reply, thread=row.id).status == "accepted"
    assert finding(row.id).state == "reproduced"
    late = {**reply, "state": "in-case", "case": "case-2222222222222222"}
    assert house.send("finding.answered", late, thread=row.id).status == "accepted"
    assert house.send("finding.answered", reply, thread=row.id).status == "accepted"
    assert finding(row.id).answer["case"] == "case-2222222222222222"
    stranger = office.peer("Elsewhere", Profile.CLEARINGHOUSE)
    stranger.send("finding.answered", {**reply, "state": "duplicate"}, thread=row.id)
    assert finding(row.id).state == "in-case"


def test_a_disclosed_items_build_comes_from_an_office_and_is_executed(
    clearinghouse: Fixture, executions: Executions
) -> None:
    office, lab = (clearinghouse.peer(str(p), p) for p in (Profile.OFFICE, Profile.LAB))
    recipe = {"kind": "disclosed-item", "suite": "own", "item": "i", "input_b64": "eA=="}
    body = {**message(), "recipe": {**recipe, "build": "sha256:" + "0" * 64}}
    build = {"format": "vedette-disclosed-item/1"}
    sent = {**body, "build": build}
    lab.send("finding.reported", {**sent, "finding": new_id("finding")}, thread="")
    with scoped(SYSTEM):
        assert not Finding.objects.exists(), "an office discloses its items, nobody else does"
    for _ in range(2):
        assert office.send("finding.reported", sent, thread=body["finding"]).status == "accepted"
    reproduction.reproduce_finding(only().id)
    row = only()
    assert (row.state, row.target) == ("reproduced", f"disclosed-item/{sent['recipe']['build']}")
    with scoped(SYSTEM):
        assert reproduction.build_of(row) == build
    assert executions.builds == [build]


def test_a_lab_keeps_its_copy(lab: Fixture) -> None:
    office: FakePeer = lab.peer("Office", Profile.OFFICE)
    body = message()
    assert office.send("finding.copied", body, thread=body["finding"]).status == "accepted"
    assert only().external_id == body["finding"]
