"""Cases: opened on what was reproduced, coordinated under embargo, closed and opened again.

Rules:
- Every move is a row of the pure tables; the rules across them (clearinghouse.invariants) are
  checked before an act ends, and a violated one refuses it with its sentence.
- Each party's terms are kept word for word; the strictest reading is shown.
- A participant's silence is a status of its own, set by the clock.
- Severity claims stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from vedette.clearinghouse import severity
from vedette.clearinghouse.embargo import Terms
from vedette.clearinghouse.machine import Party, Row
from vedette.clearinghouse.states import (
    CASE,
    FINDING,
    PARTICIPANT,
    CaseState,
    ParticipantState,
)
from vedette.formats.advisory import check_vector
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import BadInput, Forbidden, NotFound
from vedette.kernel.events import Event
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission
from vedette.services import findings, mail
from vedette.services.accounts import find_organisation
from vedette.services.acting import Actor, Doing, act, instance_actor
from vedette.services.embargoes import clocks, settle
from vedette.services.finding_outcomes import reply
from vedette.services.jobs import job, schedule
from vedette.services.parties import clearinghouse_only, on_case, words
from vedette.store.models import Case, CaseNote, CaseParticipant, Finding, SeverityClaim
from vedette.store.tenancy import SYSTEM, scoped

ROLES = ("vendor", "maintainer", "finder", "partner")
NOTE_LIMIT = 16_384
TERMS_LIMIT = 16_384


def open_case(actor: Actor, finding_id: str, title: str = "", vendor: str = "") -> Case:
    """Open a case on a reproduced finding; its known duplicates join it."""
    clearinghouse_only()
    with act(actor, Permission.CASE_COORDINATE) as doing:
        if not actor.host:
            raise Forbidden("the clearinghouse's own people coordinate")
        finding = findings.find(actor, finding_id)
        row = Case(
            org_id=doing.here.org,
            state=CASE.initial,
            title=words(title or finding.title[:300], "title", 300),
            vendor=words(vendor or finding.vendor, "vendor", 300, empty=True),
            product=finding.product,
            component=finding.component,
            marking=finding.marking,
            opened_at=doing.now,
        )
        row.save(force_insert=True)
        doing.record(Event.CASE_CASE_OPENED, row.id, {"finding": finding.id}, marking=row.marking)
        _add(doing, row, finding)
        settle(doing, row)
        return row


def add_finding(actor: Actor, case_id: str, finding_id: str) -> Case:
    """Let another reproduced finding join a case, with its duplicates."""
    with on_case(actor, case_id) as (doing, row):
        _add(doing, row, findings.find(actor, finding_id))
        settle(doing, row)
        return row


def _add(doing: Doing, row: Case, finding: Finding) -> None:
    move = FINDING.step(finding.state, "add to case", Party.COORDINATOR)
    finding.state = move.target
    duplicates = Finding.objects.select_for_update(of=("self",)).filter(duplicate_of=finding)
    for each in (finding, *duplicates):
        each.case = row
        each.save(update_fields=["state", "case"])
        row.marking = str(Marking.parse(row.marking).join(Marking.parse(each.marking)))
        reply(doing, each)
    row.save(update_fields=["marking"])
    doing.record(move.event, finding.id, {"case": row.id}, marking=row.marking)


def close_case(actor: Actor, case_id: str, reason: str) -> Case:
    """Close a case; it can be opened again."""
    return _turn(actor, case_id, "close", reason)


def open_again(actor: Actor, case_id: str, reason: str) -> Case:
    """Open a closed case again."""
    return _turn(actor, case_id, "open again", reason)


def _turn(actor: Actor, case_id: str, trigger: str, reason: str) -> Case:
    with on_case(actor, case_id) as (doing, row):
        move = CASE.step(row.state, trigger, Party.COORDINATOR)
        row.state = move.target
        row.closed_at = doing.now if move.target == CaseState.CLOSED else None
        row.facts = {**row.facts, "turned": words(reason, "reason", 1_000)}
        row.save(update_fields=["state", "closed_at", "facts"])
        doing.record(move.event, row.id, {"reason": reason}, marking=row.marking)
        settle(doing, row)
        return row


def invite_participant(
    actor: Actor,
    case_id: str,
    org: str,
    role: str,
    *,
    terms: str = "",
    zone: str = "",
    days: Mapping[str, int] | None = None,
) -> CaseParticipant:
    """Let an organisation (by name or id) into a case, and write to its address.

    The first vendor or maintainer notified moves the case. `terms` are that party's own words,
    `days` those of the embargo's clocks that they set.
    """
    if role not in ROLES:
        raise BadInput(f"role: {role[:40]!r} is none of {', '.join(ROLES)}")
    with on_case(actor, case_id) as (doing, row):
        party = find_organisation(org)
        if party.host or CaseParticipant.objects.filter(case=row, org=party).exists():
            raise BadInput(f"org: {party.name} is in this case already")
        participant = CaseParticipant(
            org=party, case=row, role=role, status=PARTICIPANT.initial, invited_at=doing.now
        )
        _set_terms(participant, terms, zone, days or {})
        participant.save(force_insert=True)
        event = Event.CASE_PARTICIPANT_INVITED
        if row.state == CaseState.OPEN and role in ("vendor", "maintainer"):
            move = CASE.step(row.state, "notify vendor", Party.COORDINATOR)
            row.state, event = move.target, move.event
            row.save(update_fields=["state"])
        doing.record(
            event, row.id, {"org": party.id, "role": role, "terms": terms}, marking=row.marking
        )
        state = settle(doing, row)
        defaults = clocks(doing.here.pack)
        if party.email:
            mail.invite(doing, row, party.email)
        silence = min(term.clock("silence_days", defaults) for term in state.terms)
        due = doing.now + timedelta(days=silence)
        schedule(f"silence {row.id} {party.id}", grow_silent, due, participant=participant.pk)
        return participant


def _set_terms(
    participant: CaseParticipant, terms: str, zone: str, days: Mapping[str, int]
) -> None:
    checked = Terms(
        participant.org.name, words(terms, "terms", TERMS_LIMIT, empty=True), zone or "UTC", days
    )
    participant.terms, participant.zone = terms, zone and checked.zone
    participant.days = dict(days)


@job()
def grow_silent(participant: int) -> None:
    """Mark a participant who has not said a word since the invitation. Idempotent."""
    with act(instance_actor(), None) as doing:
        rows = CaseParticipant.objects.select_related("case")
        row = rows.filter(pk=participant, status=ParticipantState.INVITED).first()
        if row is None or row.case.state == CaseState.CLOSED:
            return
        move = PARTICIPANT.step(row.status, "stay silent", Party.CLOCK)
        row.status = move.target
        row.save(update_fields=["status"])
        doing.record(move.event, row.case_id, {"org": row.org_id}, marking=row.case.marking)


def respond(
    actor: Actor,
    case_id: str,
    status: str,
    note: str = "",
    *,
    terms: str | None = None,
    zone: str = "",
    days: Mapping[str, int] | None = None,
    agree_to_publish: bool | None = None,
) -> CaseParticipant:
    """A participant says where it stands; it may state its terms and agree to publication."""
    with on_case(actor, case_id, Permission.CASE_RESPOND) as (doing, row):
        mine = CaseParticipant.objects.select_for_update(of=("self",)).select_related("org")
        participant = mine.filter(case=row, org_id=actor.org).first()
        if participant is None:
            raise NotFound("your organisation is not a participant of this case")
        event = Event.CASE_PARTICIPANT_RESPONDED
        if status != participant.status:
            move = _said(participant.status, status)
            participant.status, event = move.target, move.event
        participant.note = words(note, "note", NOTE_LIMIT, empty=True)
        participant.responded_at = doing.now
        if terms is not None or zone or days:
            kept = participant.terms if terms is None else terms
            _set_terms(participant, kept, zone, days or {})
        if agree_to_publish is not None:
            participant.agreed_to_publish = agree_to_publish
        participant.save()
        said = {"org": actor.org, "status": status, "note": note, "agreed": agree_to_publish}
        doing.record(event, row.id, said, marking=row.marking)
        with scoped(SYSTEM):
            settle(doing, row)
        return participant


def _said(source: str, status: str) -> Row:
    for move in PARTICIPANT.moves(source, Party.VENDOR):
        if move.target == status:
            return move
    known = ", ".join(row.target for row in PARTICIPANT.moves(source, Party.VENDOR))
    raise BadInput(f"status: {status[:40]!r} is none of {known}")


def note(actor: Actor, case_id: str, text: str) -> CaseNote:
    """Add a message to a case, seen by its participants."""
    with on_case(actor, case_id, Permission.CASE_RESPOND) as (doing, row):
        with scoped(SYSTEM):
            party = find_organisation(actor.org).name
        added = CaseNote(
            org_id=actor.org,
            case=row,
            author=f"{actor.name[:80]}, {party}"[:200],
            text=words(text, "text", NOTE_LIMIT),
            at=doing.now,
        )
        added.save(force_insert=True)
        doing.record(Event.CASE_NOTE_ADDED, row.id, {"text": text}, marking=row.marking)
        return added


def add_severity(actor: Actor, case_id: str, vector: str, reason: str = "") -> SeverityClaim:
    """Add the acting organisation's own severity claim beside the others'."""
    with on_case(actor, case_id, Permission.CASE_RESPOND) as (doing, row):
        with scoped(SYSTEM):
            party = find_organisation(actor.org)
            place = CaseParticipant.objects.filter(case=row, org_id=actor.org).first()
        claimant = severity.Claimant.CLEARINGHOUSE
        if not actor.host:
            role = place.role if place else ""
            claimant = severity.Claimant(role if role in tuple(severity.Claimant) else "finder")
        said = words(reason, "reason", 1_000, empty=True)
        claim = severity.SeverityClaim(claimant, party.name, vector, doing.now, said)
        check_vector(claim)
        added = SeverityClaim(
            org_id=actor.org,
            case=row,
            claimant=str(claimant),
            party=party.name,
            vector=vector,
            reason=said,
            at=doing.now,
        )
        added.save(force_insert=True)
        doing.record(Event.CASE_SEVERITY_CLAIMED, row.id, {"vector": vector}, marking=row.marking)
        return added


def set_embargo_facts(
    actor: Actor,
    case_id: str,
    *,
    extension_asked: bool | None = None,
    exploited_since: str | None = None,
) -> Case:
    """Record what changes the embargo's clocks: an extension asked for, known exploitation."""
    with on_case(actor, case_id) as (doing, row):
        if extension_asked is not None:
            row.facts = {**row.facts, "extension_asked": extension_asked}
        if exploited_since is not None:
            since = parse_time(exploited_since, field="exploited_since")
            if since > doing.now:
                raise BadInput("exploited_since: lies in the future")
            row.facts = {**row.facts, "exploited_since": format_time(since)}
        row.save(update_fields=["facts"])
        doing.record(Event.CASE_EMBARGO_CHANGED, row.id, row.facts, marking=row.marking)
        settle(doing, row)
        return row
