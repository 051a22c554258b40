"""Advisories: faultless in their formats, within the embargo, corrections backed by execution."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.services.coordination import (
    UJSON,
    Executions,
    case,
    events,
    executions,
    opened,
    recipe,
)

from vedette.formats import osv_in
from vedette.formats.validate import validate_osv
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.permissions import Profile
from vedette.services import advisories, cases, fixes
from vedette.services.testing import Fixture
from vedette.store.models import Advisory, Case
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["executions"]
PRIORITY = {"kev": False, "automatable": True, "impact": "total"}
WORDS = {
    "summary": "A block write past the register map overflows the heap.",
    "details": "The end of the block is not checked.",
    "priority": PRIORITY,
}
HIGH = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


def verified_ujson(here: Fixture) -> Case:
    made = opened(here, recipe=UJSON, product="ujson", version="5.1.0", vendor="ujson")
    fixes.verify_upstream_fix(here.person("coordinator"), made.id)
    return made


def test_the_correction_of_a_public_record_rests_on_our_execution(
    clearinghouse: Fixture, executions: Executions, data_dir: Path
) -> None:
    coordinator = clearinghouse.person("coordinator")
    made = verified_ujson(clearinghouse)
    row = advisories.publish_advisory(
        coordinator,
        made.id,
        **{**WORDS, "summary": "ujson 5.1.0 writes past a stack buffer when it indents."},
        aliases=["CVE-2021-45958"],
        corrects=[{"id": "PYSEC-2022-25", "statement": "It calls 5.1.0 fixed; it is affected."}],
        reason="the flaw has been public since 2022",
    )
    assert row.checks["csaf"] == "passed"
    assert row.tracking_id.startswith("x_vedette-")
    assert row.csaf["document"]["distribution"]["tlp"]["label"] == "WHITE"
    (schema,) = (data_dir / "schemas").rglob("*osv*.json")
    assert validate_osv(row.osv, schema) == []
    read = osv_in.read(row.osv, "ours")
    assert read.corrects == ("PYSEC-2022-25",)
    own = row.osv["database_specific"]["vedette"]
    assert "ujson 5.1.0 ended in heap-buffer-overflow" in str(own)
    assert case(made.id).state == "published"
    assert case(made.id).embargo_until is None
    assert row.osv["affected"][0]["ranges"][0]["events"][1] == {"fixed": "5.2.0"}


def test_the_embargo_holds_until_its_hour_or_until_all_agree_with_a_reason(
    clearinghouse: Fixture, executions: Executions
) -> None:
    coordinator = clearinghouse.person("coordinator")
    maker = clearinghouse.person("vendor", clearinghouse.organisation("Maker", "vendor").id)
    made = opened(clearinghouse)
    cases.invite_participant(coordinator, made.id, maker.org, "vendor")
    with pytest.raises(Refused, match="embargo runs until 2027-03-01T09:00:00Z"):
        advisories.publish_advisory(coordinator, made.id, **WORDS)
    with pytest.raises(Refused, match="Maker has not agreed"):
        advisories.publish_advisory(coordinator, made.id, **WORDS, reason="now")
    cases.respond(maker, made.id, "fixed", agree_to_publish=True)
    with pytest.raises(Refused, match="embargo runs until"):
        advisories.publish_advisory(coordinator, made.id, **WORDS)
    advisories.publish_advisory(coordinator, made.id, **WORDS, reason="all have it")
    assert case(made.id).facts["published_early"] == "all have it"


def test_a_silent_vendor_does_not_hold_it_beyond_the_embargo(
    clearinghouse: Fixture, executions: Executions
) -> None:
    coordinator = clearinghouse.person("coordinator")
    maker = clearinghouse.organisation("Maker", "vendor")
    made = opened(clearinghouse)
    cases.invite_participant(coordinator, made.id, maker.id, "vendor")
    clearinghouse.clock.time += timedelta(days=90)
    advisories.publish_advisory(coordinator, made.id, **WORDS)
    assert case(made.id).state == "published"


def test_a_new_revision_keeps_the_id_and_says_why(
    clearinghouse: Fixture, executions: Executions
) -> None:
    office = clearinghouse.peer("Office", Profile.OFFICE)
    coordinator = clearinghouse.person("coordinator")
    made = opened(clearinghouse)
    cases.add_severity(coordinator, made.id, HIGH)
    first = advisories.publish_advisory(coordinator, made.id, **WORDS, reason="agreed")
    clearinghouse.clock.time += timedelta(days=1)
    with pytest.raises(BadInput, match="reason"):
        advisories.publish_advisory(coordinator, made.id, **WORDS)
    second = advisories.publish_advisory(coordinator, made.id, **WORDS, reason="vendor's score")
    assert (first.tracking_id, first.id) == (second.tracking_id, second.id)
    assert second.csaf["document"]["tracking"]["version"] == "2"
    assert second.osv["severity"] == [{"type": "CVSS_V3", "score": HIGH}]
    assert events(made.id).count("case:advisory:published") == 1
    assert events(first.tracking_id).count("case:advisory:published") == 2
    assert office.received() == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"summary": ""}, "summary"),
        ({"summary": "x" * 1_001}, "summary"),
        ({"priority": {"kev": "no"}}, "priority.kev"),
        ({"priority": {**PRIORITY, "impact": "some"}}, "priority.impact"),
        ({"priority": {**PRIORITY, "deadline": 3}}, "priority.deadline"),
        ({"cwe": ["787"]}, "cwe"),
        ({"aliases": ["CVE-2021-1", "x" * 300]}, "alias"),
        ({"affected": [{"vendor": "V", "product": "P", "ranges": [{"from": "1"}]}]}, "ranges"),
        ({"affected": [{"vendor": "V", "product": "P", "ranges": [{"fixed": 7}]}]}, "fixed"),
        ({"affected": [{"vendor": "V", "product": "P"}]}, "neither range nor version"),
        ({"references": [{"url": "javascript:alert(1)"}]}, "references"),
        ({"credits": [{"name": "A", "kind": "KING"}]}, "credits"),
        ({"corrects": [{"statement": "wrong"}]}, "corrects.id"),
    ],
)
def test_what_a_format_would_fault_is_named_and_nothing_is_stored(
    clearinghouse: Fixture, executions: Executions, change: dict[str, Any], named: str
) -> None:
    made = opened(clearinghouse)
    with pytest.raises(BadInput, match=named):
        advisories.publish_advisory(
            clearinghouse.person("coordinator"), made.id, **{**WORDS, "reason": "now", **change}
        )
    with scoped(SYSTEM):
        assert not Advisory.objects.exists()
    assert case(made.id).state == "open"


def test_access(clearinghouse: Fixture, executions: Executions) -> None:
    made = opened(clearinghouse)
    maker = clearinghouse.organisation("Maker", "vendor")
    with pytest.raises(Forbidden):
        advisories.publish_advisory(clearinghouse.person("vendor", maker.id), made.id, **WORDS)
    with pytest.raises(NotFound):
        advisories.publish_advisory(
            clearinghouse.person("coordinator", maker.id), made.id, **WORDS, reason="x"
        )
    anybody = clearinghouse.person("operator", maker.id)
    with pytest.raises(NotFound):
        advisories.render(anybody, made.id, "csaf")
    row = advisories.publish_advisory(
        clearinghouse.person("coordinator"), made.id, **WORDS, reason="now"
    )
    for format_ in advisories.FORMATS:
        name, document = advisories.render(anybody, row.tracking_id, format_)
        assert name.endswith(".json")
        assert row.tracking_id in str(document)
    with pytest.raises(BadInput, match="csaf, osv, vex"):
        advisories.render(anybody, row.tracking_id, "stix")


def test_no_crash_input_is_published(clearinghouse: Fixture, executions: Executions) -> None:
    made = opened(clearinghouse, recipe=recipe(b"the way in, byte for byte"))
    row = advisories.publish_advisory(
        clearinghouse.person("coordinator"), made.id, **WORDS, reason="now"
    )
    assert recipe(b"the way in, byte for byte")["input_b64"] not in str((row.csaf, row.osv))
