"""What holds across a case: its embargo under everybody's terms, and the rules between machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from vedette.clearinghouse.embargo import CLOCKS, EmbargoState, Facts, Terms, embargo_state
from vedette.clearinghouse.invariants import CaseView, Participant, violations
from vedette.clearinghouse.states import CaseState, FindingState, ParticipantState
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import Refused
from vedette.kernel.packs import PolicyPack
from vedette.services.acting import Doing
from vedette.store.models import Case, CaseParticipant, Finding, FixDelivery

PACK_PARTY = "policy pack"


def clocks(pack: PolicyPack) -> dict[str, int]:
    """The pack's default days of each clock of an embargo."""
    return {name: pack.integer("embargo", name) for name in CLOCKS}


def embargo_of(
    pack: PolicyPack, case: Case, participants: Sequence[CaseParticipant], now: datetime
) -> EmbargoState:
    """The strictest reading of the pack's defaults and every participant's terms."""
    facts = case.facts
    heard = [p.responded_at for p in participants if p.responded_at and p.role != "finder"]
    terms = [Terms(PACK_PARTY, f"defaults of {pack.ref}")]
    terms += [
        Terms(p.org.name, p.terms, p.zone or "UTC", p.days)
        for p in participants
        if p.terms or p.days or p.zone
    ]
    return embargo_state(
        now,
        Facts(
            started=case.opened_at,
            extension_asked=bool(facts.get("extension_asked")),
            exploited_since=_moment(facts, "exploited_since"),
            patched=_moment(facts, "patched"),
            last_vendor_word=max(heard) if heard else None,
        ),
        terms,
        clocks(pack),
    )


def _moment(facts: dict[str, Any], name: str) -> datetime | None:
    return parse_time(facts[name], field=name) if facts.get(name) else None


def embargo_json(state: EmbargoState) -> dict[str, Any]:
    """An embargo's state as JSON; times are RFC 3339."""
    return {
        "ends": format_time(state.ends),
        "ends_because": state.ends_because,
        "hours": [asdict(hour) for hour in state.hours],
        "over": state.over,
        "escalate": format_time(state.escalate),
        "escalate_because": state.escalate_because,
        "escalated": state.escalated,
        "details_from": format_time(state.details_from),
        "details_because": state.details_because,
        "details_held": state.details_held,
        "terms": [
            {"party": t.party, "words": t.words, "zone": t.zone, "days": dict(t.days)}
            for t in state.terms
        ],
    }


def settle(doing: Doing, case: Case) -> EmbargoState:
    """Bring the case's embargo up to date and check the rules. Raises Refused with a sentence."""
    participants = list(CaseParticipant.objects.filter(case=case).select_related("org"))
    state = embargo_of(doing.here.pack, case, participants, doing.now)
    published = bool(case.facts.get("published"))
    if not published:
        case.embargo, case.embargo_until = embargo_json(state), state.ends
        case.save(update_fields=["embargo", "embargo_until"])
    check(doing, case, participants, None if published else state.ends)
    return state


def check(
    doing: Doing,
    case: Case,
    participants: Sequence[CaseParticipant],
    embargo_ends: datetime | None,
) -> None:
    """Raise Refused where the case, as it now stands, violates a rule across the machines."""
    rows = Finding.objects.filter(case=case).values_list("id", "state")
    fix = FixDelivery.objects.filter(case=case, state="verified").first()
    broken = violations(
        CaseView(
            state=CaseState(case.state),
            findings=tuple((name, FindingState(state)) for name, state in rows),
            participants=tuple(
                Participant(p.org.name, ParticipantState(p.status), p.agreed_to_publish)
                for p in participants
            ),
            fix_verified_by_run=fix.id if fix else "",
            embargo_ends=embargo_ends,
        ),
        doing.now,
    )
    if broken:
        raise Refused("; ".join(broken), kept="the case as it was")
