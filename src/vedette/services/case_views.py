"""What pages and the API show of findings and cases: always the same small number of queries.

Rules:
- A case is shown to the clearinghouse and its participants; to all others it is not there.
- A participant sees its own place, the notes, the claims, what was executed and the crash input
  that it must mend; it does not see who else takes part, nor who reported.
- Lists and counts pass the same filter as the object itself.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q, QuerySet

from vedette.clearinghouse.machine import Party
from vedette.clearinghouse.severity import Claimant, disputed
from vedette.clearinghouse.severity import SeverityClaim as Claim
from vedette.clearinghouse.states import CASE, FINDING, PARTICIPANT, FindingState
from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission
from vedette.services.acting import Actor, reading
from vedette.services.embargoes import embargo_json, embargo_of
from vedette.services.here import Here
from vedette.services.parties import readable
from vedette.services.shown import executions, sentence
from vedette.services.sides import stamp
from vedette.store.models import (
    Advisory,
    Case,
    CaseNote,
    CaseParticipant,
    Finding,
    FixDelivery,
    LedgerEntry,
    Mail,
    Organisation,
    Reproduction,
    SeverityClaim,
)
from vedette.store.tenancy import SYSTEM, scoped

NOTES_SHOWN = 200
TIMELINE_SHOWN = 300
FINDING_TEXTS = (
    *("id", "state", "title", "vendor", "product", "component", "version", "marking", "origin"),
    *("reporter", "external_id"),
)


def _cleared(actor: Actor, rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows whose marking the actor is cleared for."""
    known = rows.order_by().values_list("marking", flat=True).distinct()
    return rows.filter(marking__in=[m for m in known if readable(actor, m)])


def browse_findings(
    actor: Actor, *, state: str = "", product: str = "", case: str = "", text: str = ""
) -> QuerySet[Finding]:
    """Findings that the actor sees, newest first; evaluate it under the actor's scope."""
    actor.require(Permission.FINDING_READ)
    rows: QuerySet[Finding] = Finding.objects.order_by("-received_at", "-id")
    exact = {"state": state, "product": product, "case_id": case}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if text:
        rows = rows.filter(Q(title__icontains=text) | Q(target__icontains=text))
    return _cleared(actor, rows.defer("description", "recipe", "evidence"))


def finding_row(row: Finding) -> dict[str, Any]:
    """One finding in a list."""
    return {
        **{name: getattr(row, name) for name in FINDING_TEXTS},
        "crash": row.crash,
        "case": row.case_id or row.answer.get("case", ""),
        "duplicate_of": row.duplicate_of_id,
        "why": list(row.why),
        "received_at": stamp(row.received_at),
    }


def finding_view(actor: Actor, finding_id: str) -> dict[str, Any]:
    """One finding with all that its reporter said, and what our executions showed."""
    with reading(actor, Permission.FINDING_READ):
        row = Finding.objects.filter(id=finding_id).first()
        if row is None or not readable(actor, row.marking):
            raise NotFound(f"finding {finding_id[:40]!r} is not here")
        with scoped(SYSTEM):
            shown = list(Reproduction.objects.filter(finding=row).order_by("at", "pk"))
    coordinates = actor.host and actor.may(Permission.CASE_COORDINATE)
    moves = FINDING.moves(row.state, Party.COORDINATOR) if coordinates else ()
    lists = {name: list(getattr(row, name)) for name in ("cwe", "stack", "references")}
    return {
        **finding_row(row),
        **{name: getattr(row, name) for name in ("description", "file", "function")},
        **lists,
        "recipe": dict(row.recipe),
        "claimed_evidence": dict(row.evidence),
        "answer": dict(row.answer),
        "moves": [move.trigger for move in moves],
        "reproductions": [
            {
                "at": stamp(each.at),
                "reproduced": each.reproduced,
                "reason": each.reason,
                "evidence": each.evidence,
            }
            for each in shown
        ],
    }


def browse_cases(actor: Actor, *, state: str = "", text: str = "") -> QuerySet[Case]:
    """Cases that the actor takes part in, newest first; evaluate it under the actor's scope."""
    actor.require(Permission.CASE_READ)
    rows: QuerySet[Case] = Case.objects.order_by("-opened_at", "-id")
    if state:
        rows = rows.filter(state=state)
    if text:
        rows = rows.filter(Q(title__icontains=text) | Q(product__icontains=text))
    return _cleared(actor, rows)


def case_row(row: Case) -> dict[str, Any]:
    """One case in a list."""
    names = ("id", "state", "title", "vendor", "product", "component", "marking")
    return {
        **{name: getattr(row, name) for name in names},
        "opened_at": stamp(row.opened_at),
        "closed_at": stamp(row.closed_at),
        "embargo_until": stamp(row.embargo_until),
    }


def case_view(actor: Actor, case_id: str) -> dict[str, Any]:
    """One case with everything that its page shows."""
    with reading(actor, Permission.CASE_READ) as instance:
        row = seen_case(actor, case_id)
        with scoped(SYSTEM):
            places = list(
                CaseParticipant.objects.filter(case=row)
                .select_related("org")
                .order_by("invited_at", "pk")
            )
            return {
                **case_row(row),
                **_standing(actor, instance, row, places),
                "facts": row.facts,
                "findings": _findings(actor, row, _role(actor, places)),
                "severity": _severity(row),
                "notes": [note_row(note) for note in _notes(row)],
                "note_count": CaseNote.objects.filter(case=row).count(),
                "fixes": _fixes(actor, row),
                "advisories": _advisories(row),
                "mails": _mails(row) if actor.host else [],
                "timeline": _timeline(actor, row),
            }


def seen_case(actor: Actor, case_id: str) -> Case:
    """The case of this id among the actor's. Raises NotFound."""
    row = Case.objects.filter(id=case_id).first()
    if row is None or not readable(actor, row.marking):
        raise NotFound(f"case {case_id[:40]!r} is not here")
    return row


def _role(actor: Actor, places: list[CaseParticipant]) -> str:
    return next((place.role for place in places if place.org_id == actor.org), "")


def _standing(
    actor: Actor, instance: Here, row: Case, places: list[CaseParticipant]
) -> dict[str, Any]:
    """Who stands where, the embargo, and the moves that this reader has."""
    embargo = row.embargo
    if not row.facts.get("published"):
        now = instance.clock.now()
        embargo = embargo_json(embargo_of(instance.pack, row, places, now))
    mine = next((place for place in places if place.org_id == actor.org), None)
    if not actor.host:
        embargo = _own_terms(embargo, mine.org.name if mine else "")
    coordinates = actor.host and actor.may(Permission.CASE_COORDINATE)
    answers = PARTICIPANT.moves(mine.status, Party.VENDOR) if mine else ()
    delivers = CASE.moves(row.state, Party.VENDOR) if mine else ()
    moves = CASE.moves(row.state, Party.COORDINATOR) if coordinates else delivers
    counts: dict[str, int] = {}
    for place in places:
        counts[place.status] = counts.get(place.status, 0) + 1
    return {
        "embargo": embargo,
        "participants": [_place(p) for p in places if actor.host or p is mine],
        "counts": counts if actor.host else {},
        "moves": [move.trigger for move in moves],
        "answers": [move.target for move in answers] if actor.may(Permission.CASE_RESPOND) else [],
    }


def _own_terms(embargo: dict[str, Any], party: str) -> dict[str, Any]:
    """An embargo as a participant sees it: other parties without their names and words."""
    known = {"", "policy pack", "no patch yet", party}
    shown = dict(embargo)
    for name in ("ends_because", "escalate_because", "details_because"):
        who, colon, why = str(embargo.get(name, "")).partition(": ")
        shown[name] = (
            f"another party's terms: {why}" if colon and who not in known else who + colon + why
        )
    for name in ("hours", "terms"):
        shown[name] = [each for each in embargo.get(name, ()) if each["party"] in known]
    return shown


def _place(place: CaseParticipant) -> dict[str, Any]:
    return {
        "org": place.org_id,
        "name": place.org.name,
        "role": place.role,
        "status": place.status,
        "note": place.note,
        "terms": place.terms,
        "zone": place.zone,
        "days": place.days,
        "agreed_to_publish": place.agreed_to_publish,
        "invited_at": stamp(place.invited_at),
        "responded_at": stamp(place.responded_at),
    }


def _findings(actor: Actor, row: Case, role: str) -> list[dict[str, Any]]:
    shown = {finding.id: (finding, found) for finding, found in executions(row)}
    rows = Finding.objects.filter(case=row).order_by("received_at", "id")
    lines = []
    for finding in rows:
        if not readable(actor, finding.marking):
            continue
        line: dict[str, Any] = {
            name: getattr(finding, name)
            for name in ("id", "state", "title", "crash", "cwe", "marking")
        }
        line["duplicate_of"] = finding.duplicate_of_id
        if finding.id in shown:
            line["executed"] = sentence(*shown[finding.id])
            line["evidence"] = shown[finding.id][1].evidence
        if actor.host or finding.org_id == actor.org:
            line |= {"reporter": finding.reporter, "why": list(finding.why)}
        if actor.host or finding.org_id == actor.org or role in ("vendor", "maintainer"):
            line["recipe"] = dict(finding.recipe)
        lines.append(line)
    return lines


def _severity(row: Case) -> dict[str, Any]:
    rows = list(SeverityClaim.objects.filter(case=row).order_by("at", "pk"))
    claims = [Claim(Claimant(c.claimant), c.party, c.vector, c.at, c.reason) for c in rows]
    return {
        "disputed": disputed(claims),
        "claims": [
            {
                "claimant": str(c.claimant),
                "party": c.party,
                "vector": c.vector,
                "words": c.words,
                "made": stamp(c.made),
            }
            for c in claims
        ],
    }


def _notes(row: Case) -> list[CaseNote]:
    newest = CaseNote.objects.filter(case=row).order_by("-at", "-id")
    return list(newest[:NOTES_SHOWN])[::-1]


def browse_notes(actor: Actor, case_id: str) -> QuerySet[CaseNote]:
    """The notes of a case, newest first; evaluate it under the actor's scope."""
    actor.require(Permission.CASE_READ)
    rows: QuerySet[CaseNote] = CaseNote.objects.filter(case=seen_case(actor, case_id))
    return rows.order_by("-at", "-id")


def note_row(note: CaseNote) -> dict[str, Any]:
    """One note of a case."""
    return {
        "id": note.id,
        "org": note.org_id,
        "author": note.author,
        "text": note.text,
        "at": stamp(note.at),
    }


def _fixes(actor: Actor, row: Case) -> list[dict[str, Any]]:
    rows = FixDelivery.objects.filter(case=row).defer("source").order_by("delivered_at", "id")
    return [
        {
            "id": fix.id,
            "version": fix.version,
            "note": fix.note,
            "digest": fix.digest,
            "state": fix.state,
            "evidence": fix.evidence,
            "delivered_at": stamp(fix.delivered_at),
            "verified_at": stamp(fix.verified_at),
        }
        for fix in rows
        if actor.host or fix.org_id == actor.org
    ]


def _advisories(row: Case) -> list[dict[str, Any]]:
    rows = Advisory.objects.filter(case=row, public=True).defer("csaf", "osv")
    return [advisory_row(advisory) for advisory in rows.order_by("published_at", "id")]


def _mails(row: Case) -> list[dict[str, Any]]:
    return [
        {
            "id": mail.id,
            "to": mail.to,
            "subject": mail.subject,
            "queued_at": stamp(mail.queued_at),
            "sent_at": stamp(mail.sent_at),
        }
        for mail in Mail.objects.filter(case=row).order_by("queued_at", "id")
    ]


def _timeline(actor: Actor, row: Case) -> list[dict[str, Any]]:
    """What the ledger holds of the case; a participant sees its own entries and the host's."""
    rows = LedgerEntry.objects.filter(object_id=row.id).order_by("-seq")
    if not actor.host:
        rows = rows.filter(org__in=[actor.org, row.org_id])
    names = dict(Organisation.objects.filter(case_party(row)).values_list("id", "name"))
    return [
        {"event": e.event, "time": e.time, "org": names.get(e.org, e.org), "seq": e.seq}
        for e in reversed(rows[:TIMELINE_SHOWN])
    ]


def case_party(row: Case) -> Q:
    """The organisations of a case: its participants and the clearinghouse."""
    return Q(participations__case=row) | Q(id=row.org_id)


def browse_advisories(actor: Actor) -> QuerySet[Advisory]:
    """Published advisories, newest first; evaluate it under the actor's scope."""
    rows: QuerySet[Advisory] = Advisory.objects.filter(public=True).defer("csaf", "osv")
    return rows.order_by("-published_at", "-id")


def advisory_row(row: Advisory) -> dict[str, Any]:
    """One advisory in a list."""
    return {
        "tracking_id": row.tracking_id,
        "title": row.title,
        "summary": row.content.get("summary", ""),
        "corrects": list(row.corrects),
        "priority": row.priority,
        "checks": row.checks,
        "marking": row.marking,
        "published_at": stamp(row.published_at),
    }


def open_counts(actor: Actor) -> dict[str, int]:
    """How many findings the actor sees in each state."""
    with reading(actor, Permission.FINDING_READ):
        rows = _cleared(actor, Finding.objects.all()).order_by()
        counted = rows.values_list("state").annotate(Count("id"))
        return {str(state): 0 for state in FindingState} | dict(counted)
