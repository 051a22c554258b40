"""Fixes are verified by execution: by every crash input, in a job that may be killed."""

from __future__ import annotations

import pytest
from tests.services.coordination import (
    UJSON,
    Executions,
    case,
    events,
    executions,
    fixed,
    opened,
    recipe,
    reproduced,
)

from vedette.kernel.errors import AnswerIsNo, BadInput, Forbidden, MissingPart, NotFound, Refused
from vedette.services import cases, fixes
from vedette.services.acting import Actor
from vedette.services.testing import Fixture
from vedette.store.models import CaseParticipant, FixDelivery
from vedette.store.tenancy import SYSTEM, scoped

__all__ = ["executions"]
SOURCE = b"int main(void) { return 0; }\n"


@pytest.fixture
def vendor(clearinghouse: Fixture) -> Actor:
    org = clearinghouse.organisation("Norrvik Pumpworks", "vendor")
    return clearinghouse.person("vendor", org.id)


def notified(here: Fixture, vendor: Actor) -> str:
    made = opened(here)
    cases.invite_participant(here.person("coordinator"), made.id, vendor.org, "vendor")
    return made.id


def fix(fix_id: str) -> FixDelivery:
    with scoped(SYSTEM):
        found: FixDelivery = FixDelivery.objects.get(id=fix_id)
        return found


def test_a_delivered_fix_is_run_on_every_crash_input_of_the_case(
    clearinghouse: Fixture, executions: Executions, vendor: Actor
) -> None:
    case_id = notified(clearinghouse, vendor)
    again = reproduced(clearinghouse, recipe=recipe(b"another way in"), title="Another way in")
    assert again.case_id == case_id
    executions.ran.clear()
    made = fixes.deliver_fix(vendor, case_id, "3.2.1", SOURCE, "block end checked")
    for _ in range(2):
        fixes.verify_delivery(made.id)
    assert len(executions.ran) == 2
    assert (fix(made.id).state, case(case_id).state) == ("verified", "fix-verified")
    assert case(case_id).facts["patched"]
    assert case(case_id).embargo["details_because"].endswith("45 days after the patch")
    assert events(case_id)[-2:] == ["case:fix:delivered", "case:fix:verified"]
    with scoped(SYSTEM):
        assert CaseParticipant.objects.get(org_id=vendor.org).status == "fixed"


def test_a_failing_fix_sends_the_case_back_with_what_was_seen(
    clearinghouse: Fixture, executions: Executions, vendor: Actor
) -> None:
    case_id = notified(clearinghouse, vendor)
    executions.fix = fixed(fixed=False, functional=False, reason="still not fixed: heap")
    made = fixes.deliver_fix(vendor, case_id, "3.2.1", SOURCE)
    fixes.verify_delivery(made.id)
    assert (fix(made.id).state, case(case_id).state) == ("failed", "vendor-notified")
    assert fix(made.id).evidence["reason"] == "still not fixed: heap"
    executions.fix = BadInput("source: does not compile")
    second = fixes.deliver_fix(vendor, case_id, "3.2.2", SOURCE)
    fixes.verify_delivery(second.id)
    assert fix(second.id).evidence["reason"] == "source: does not compile"


def test_without_a_sandbox_the_fix_waits(
    clearinghouse: Fixture, executions: Executions, vendor: Actor
) -> None:
    case_id = notified(clearinghouse, vendor)
    executions.fix = MissingPart("no bubblewrap")
    made = fixes.deliver_fix(vendor, case_id, "3.2.1", SOURCE)
    fixes.verify_delivery(made.id)
    assert (fix(made.id).state, case(case_id).state) == ("delivered", "fix-delivered")


def test_who_may_deliver_and_what(
    clearinghouse: Fixture, executions: Executions, vendor: Actor
) -> None:
    case_id = notified(clearinghouse, vendor)
    other = clearinghouse.person("vendor", clearinghouse.organisation("Other", "vendor").id)
    with pytest.raises(NotFound):
        fixes.deliver_fix(other, case_id, "1", SOURCE)
    with pytest.raises(Forbidden):
        fixes.deliver_fix(clearinghouse.person("finder", vendor.org), case_id, "1", SOURCE)
    with pytest.raises(BadInput, match="source"):
        fixes.deliver_fix(vendor, case_id, "1", b"x" * (fixes.SOURCE_LIMIT + 1))
    untouched = opened(clearinghouse, recipe=recipe(item="telemetry"), product="Telemetry")
    with pytest.raises(Refused, match="deliver fix"):
        fixes.deliver_fix(clearinghouse.person("coordinator"), untouched.id, "1", SOURCE)


def test_a_public_fix_counts_by_our_own_execution(
    clearinghouse: Fixture, executions: Executions, vendor: Actor
) -> None:
    coordinator = clearinghouse.person("coordinator")
    made = opened(clearinghouse, recipe=UJSON, product="ujson", version="5.1.0", vendor="ujson")
    with pytest.raises(BadInput, match="package"):
        fixes.deliver_fix(coordinator, made.id, "5.2.0", SOURCE)
    row = fixes.verify_upstream_fix(coordinator, made.id)
    assert (row.version, row.state) == ("5.2.0", "verified")
    assert case(made.id).state == "fix-verified"
    toy = opened(clearinghouse)
    with pytest.raises(AnswerIsNo):
        fixes.verify_upstream_fix(coordinator, toy.id)
