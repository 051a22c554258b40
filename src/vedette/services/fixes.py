"""Fixes: delivered by a vendor or public already, verified by execution and nothing else.

Rules:
- A delivered source is hostile data: bounded, built and run in sandboxes only.
- Every crash input of the case is run on it, in fresh sandboxes, and its functional tests too.
- A fix that fails sends the case back to the vendor, with what was seen.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction

from vedette.clearinghouse.machine import Party
from vedette.clearinghouse.states import CASE, PARTICIPANT, ParticipantState
from vedette.kernel.bounds import MIB
from vedette.kernel.canonical import digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import (
    AnswerIsNo,
    BadInput,
    MissingPart,
    NotFound,
    OurFault,
    VedetteError,
)
from vedette.kernel.permissions import Permission
from vedette.services.acting import Actor, Doing, act, instance_actor
from vedette.services.embargoes import settle
from vedette.services.here import here
from vedette.services.jobs import job, schedule
from vedette.services.parties import on_case, words
from vedette.services.reproduction import ITEM_KINDS, build_of, suites_of
from vedette.services.shown import executions
from vedette.store.models import Case, CaseParticipant, FixDelivery
from vedette.store.tenancy import SYSTEM, scoped

log = logging.getLogger("vedette.fixes")
SOURCE_LIMIT = MIB
TRY_AGAIN = timedelta(hours=1)


def deliver_fix(
    actor: Actor, case_id: str, version: str, source: bytes, note: str = ""
) -> FixDelivery:
    """A vendor delivers the fixed source of its product (C, at most 1 MiB); a job verifies it."""
    if not source or len(source) > SOURCE_LIMIT:
        raise BadInput(f"source: {len(source):,} bytes; 1 to {SOURCE_LIMIT:,} expected")
    with on_case(actor, case_id, Permission.CASE_RESPOND) as (doing, case):
        mine = CaseParticipant.objects.filter(case=case, org_id=actor.org).first()
        if mine is None and not actor.host:
            raise NotFound("your organisation is not a participant of this case")
        with scoped(SYSTEM):
            if not any(f.recipe["kind"] in ITEM_KINDS for f, _ in executions(case)):
                raise BadInput(
                    "source: this case's flaw is in a released package",
                    next_step="the coordinator verifies the release that fixes it",
                )
            party = Party.COORDINATOR if mine is None else Party.VENDOR
            _move(doing, case, "deliver fix", party)
        row = FixDelivery(
            org_id=actor.org,
            case=case,
            version=words(version, "version", 100),
            note=words(note, "note", 16_384, empty=True),
            source=source,
            digest=digest(source),
            delivered_at=doing.now,
        )
        row.save(force_insert=True)
        if mine is not None and mine.status != ParticipantState.FIXED:
            mine.status = PARTICIPANT.step(mine.status, "state fixed", Party.VENDOR).target
            mine.responded_at = doing.now
            mine.save(update_fields=["status", "responded_at"])
        doing.after(verify_delivery, fix_id=row.id)
        return row


@job(queue="long")
def verify_delivery(fix_id: str) -> None:
    """Run every crash input of the case on a delivered fix. Idempotent."""
    with transaction.atomic(), scoped(SYSTEM):
        row = FixDelivery.objects.select_related("case").filter(id=fix_id).first()
        if row is None or row.state != "delivered":
            return
        recipes = {
            finding.id: (finding.recipe, build_of(finding))
            for finding, _ in executions(row.case)
            if finding.recipe["kind"] in ITEM_KINDS
        }
    try:
        source = bytes(row.source)
        shown = {name: verify(recipe, source, build) for name, (recipe, build) in recipes.items()}
    except (MissingPart, OurFault) as error:
        log.warning("fix %s is tried again later: %s", fix_id, error)
        _later(fix_id, error)
    except VedetteError as error:
        _settle(fix_id, False, {"reason": error.what})
    else:
        holds = bool(shown) and all(each["fixed"] and each["functional"] for each in shown.values())
        failed = [each["reason"] for each in shown.values() if not each["functional"]]
        reason = failed[0] if failed else "every crash input of the case was run on it"
        _settle(fix_id, holds, {"reason": reason, "findings": shown})


def verify(recipe: dict[str, Any], source: bytes, build: Any = None) -> dict[str, Any]:
    """Run one recipe on a delivered source; returns the evidence as JSON."""
    from vedette.runner.reproduce import verify_fix

    with suites_of(recipe, build) as suites:
        found = verify_fix(recipe, source, cache_dir=here().cache_dir, suites=suites)
    return found.to_json()


def _later(fix_id: str, error: VedetteError) -> None:
    with act(instance_actor(), None) as doing:
        FixDelivery.objects.filter(id=fix_id).update(
            evidence={"reason": f"not executed yet: {error.what}"}
        )
        schedule(f"fix {fix_id}", verify_delivery, doing.now + TRY_AGAIN, fix_id=fix_id)


def _settle(fix_id: str, holds: bool, evidence: dict[str, Any]) -> None:
    with act(instance_actor(), None) as doing:
        row = FixDelivery.objects.select_for_update().get(id=fix_id)
        case = Case.objects.select_for_update().get(id=row.case_id)
        if row.state == "delivered":
            _enter(doing, case, row, holds, evidence)


def _enter(
    doing: Doing, case: Case, row: FixDelivery, holds: bool, evidence: dict[str, Any]
) -> None:
    """Enter what executing a fix showed, and move the case by it."""
    row.state, row.evidence = ("verified" if holds else "failed"), evidence
    row.verified_at = doing.now if holds else None
    row.save()
    if holds:
        case.facts = {**case.facts, "patched": format_time(doing.now)}
        case.save(update_fields=["facts"])
    payload = {"fix": row.id, "version": row.version, "evidence": evidence}
    _move(doing, case, "verify fix" if holds else "find fix failing", Party.EXECUTION, payload)
    settle(doing, case)


def _move(
    doing: Doing, case: Case, trigger: str, party: Party, payload: dict[str, Any] | None = None
) -> None:
    move = CASE.step(case.state, trigger, party)
    case.state = move.target
    case.save(update_fields=["state"])
    doing.record(move.event, case.id, payload or {"trigger": trigger}, marking=case.marking)


def verify_upstream_fix(actor: Actor, case_id: str) -> FixDelivery:
    """Enter the public fix of a case: the release that our reproduction ran without a crash."""
    with on_case(actor, case_id) as (doing, case):
        shown = [(f, r) for f, r in executions(case) if f.recipe["kind"] == "pypi"]
        if not shown or not all(r.evidence["fixed_clean"] for _, r in shown):
            raise AnswerIsNo(
                "no execution shows a public fix of this case", kept="the case as it was"
            )
        finding, _ = shown[-1]
        public = case.state == CASE.initial
        trigger = "record public fix" if public else "deliver fix"
        _move(doing, case, trigger, Party.COORDINATOR)
        row = FixDelivery(
            org_id=doing.here.org,
            case=case,
            version=finding.recipe["fixed_version"],
            note="released already",
            source=b"",
            digest="sha256:" + finding.recipe["fixed_sha256"],
            delivered_at=doing.now,
        )
        row.save(force_insert=True)
        evidence = {f.id: dict(r.evidence) for f, r in shown}
        reason = (
            f"{finding.recipe['fixed_version']} takes the input that breaks"
            f" {finding.recipe['version']} without a memory error"
        )
        _enter(doing, case, row, True, {"reason": reason, "findings": evidence})
        return row
