"""What a partner and its lab see of early access; seats and hours by sector, shared as numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from vedette.engagement.seats import Used, tally
from vedette.engagement.sectors import sector_of
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import NotFound
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.services import scan_parties
from vedette.services.acting import Actor, act, reading
from vedette.services.early_access import used_of
from vedette.services.here import Here, here
from vedette.services.inbox import Arrival, handles
from vedette.services.parties import organisation_of
from vedette.services.scan_views import scan_row
from vedette.services.sides import only, stamp
from vedette.store.models import EarlyAccess, Finding, ScanIntent, SeatsShared, Session
from vedette.store.tenancy import SYSTEM, scoped

NUMBERS = ("partners", "small", "sessions", "minutes", "calls")


def _lab_only() -> None:
    if here().profile != Profile.LAB:
        raise NotFound(f"a {here().profile} gives no early access")


def early_list(actor: Actor) -> list[dict[str, Any]]:
    """Early access in the reader's scope: a partner's own, all of it for the lab."""
    _lab_only()
    with reading(actor, Permission.EARLY_READ):
        rows = EarlyAccess.objects.select_related("org").order_by("-opened_at", "id")
        return [_line(row) for row in rows[:200]]


def _line(row: EarlyAccess) -> dict[str, Any]:
    now = here().clock.now()
    over = row.ended_at is not None or row.closes <= now
    with scoped(SYSTEM):
        used = used_of(row)
    return {
        "id": row.id,
        "partner": row.org.name,
        "sector": sector_of(here().pack, row.sector).title,
        "small": row.small,
        "model": row.model,
        "state": "over" if over else "open" if row.opens <= now else "ahead",
        "opens": stamp(row.opens),
        "closes": stamp(row.closes),
        "ended": stamp(row.ended_at),
        "reason": row.reason,
        "session_hours": row.session_hours,
        "quota": {"calls": row.quota_calls, "tokens": row.quota_tokens},
        "used": {"calls": used.calls, "tokens": used.tokens},
        "named": row.named,
        "pseudonym": row.pseudonym,
        "purposes": list(row.purposes),
        "digest": row.digest,
        "marking": row.marking,
    }


def early_view(actor: Actor, early_id: str) -> dict[str, Any]:
    """One partner's access: terms, who accepted them, sessions, what it registered and found."""
    _lab_only()
    with reading(actor, Permission.EARLY_READ):
        row = EarlyAccess.objects.select_related("org").filter(id=early_id).first()
        if row is None:
            raise NotFound(f"early access {early_id[:40]!r} is not here")
        acceptances = [
            {"person": a.person, "digest": a.digest, "at": stamp(a.accepted_at)}
            for a in row.acceptances.order_by("accepted_at", "pk")
        ]
        with scoped(SYSTEM):
            sessions = list(row.sessions.order_by("-opened_at", "id")[:200])
            scans = ScanIntent.objects.filter(org_id=row.org_id).order_by("-registered_at", "id")
            findings = Finding.objects.filter(org_id=row.org_id).order_by("-received_at", "id")
            return {
                **_line(row),
                "mine": row.org_id == actor.org,
                "terms": row.terms,
                "acceptances": acceptances,
                "sessions": [_session(session) for session in sessions],
                "scans": [scan_row(scan) for scan in scans[:200]],
                "findings": [
                    {
                        "id": finding.id,
                        "title": finding.title,
                        "state": finding.state,
                        "received_at": stamp(finding.received_at),
                    }
                    for finding in findings[:200]
                ],
            }


def _session(row: Session) -> dict[str, Any]:
    return {
        "id": row.id,
        "person": row.person,
        "purpose": row.purpose,
        "state": row.state,
        "reason": row.reason,
        "opened_at": stamp(row.opened_at),
        "expires_at": stamp(row.expires_at),
        "ended_at": stamp(row.ended_at),
        "minutes": minutes(row, here().clock.now()),
        "calls": row.calls_used,
        "tokens": row.tokens_used,
    }


def minutes(row: Session, now: datetime) -> int:
    """How long a session stood open so far."""
    if row.opened_at is None or row.expires_at is None:
        return 0
    end = min(now, row.expires_at, row.ended_at or row.expires_at)
    return max(0, int((end - row.opened_at).total_seconds()) // 60)


def _own(instance: Here) -> tuple[Used, ...]:
    now, rows = instance.clock.now(), []
    for early in EarlyAccess.objects.prefetch_related("sessions").order_by("id"):
        sessions = list(early.sessions.all())
        standing = early.ended_at is None and early.closes > now
        rows.append(
            Used(
                early.sector,
                int(standing),
                int(standing and early.small),
                len(sessions),
                sum(minutes(session, now) for session in sessions),
                sum(session.calls_used for session in sessions),
            )
        )
    return tally(instance.pack, rows)


def as_json(rows: tuple[Used, ...]) -> list[dict[str, Any]]:
    return [
        {
            "sector": row.sector,
            **{name: getattr(row, name) for name in NUMBERS},
            "listed": row.listed,
            "absent": row.absent,
        }
        for row in rows
    ]


def seats(actor: Actor) -> dict[str, Any]:
    """Seats and hours by sector: a lab's own, or on a clearinghouse what labs share, added up."""
    if here().profile not in (Profile.LAB, Profile.CLEARINGHOUSE) or not actor.host:
        raise NotFound("no such thing here")
    with reading(actor, Permission.SEATS_READ) as instance:
        if instance.profile == Profile.LAB:
            return {"rows": as_json(_own(instance)), "labs": []}
        shared = list(SeatsShared.objects.select_related("peer").order_by("peer__name"))
        rows = [Used(r["sector"], *(r[n] for n in NUMBERS)) for one in shared for r in one.rows]
        return {
            "rows": as_json(tally(instance.pack, rows)),
            "labs": [{"name": one.peer.name, "as_of": stamp(one.as_of)} for one in shared],
        }


def share_seats(actor: Actor) -> dict[str, Any]:
    """Share the lab's numbers by sector with its clearinghouse: numbers alone, no name."""
    only(Profile.LAB, actor)
    with act(actor, Permission.ENGAGEMENT_OFFER) as doing:
        to = scan_parties.clearinghouse("")
        known = SeatsShared.objects.filter(peer=to).first()
        rows = [
            {"sector": row.sector, **{name: getattr(row, name) for name in NUMBERS}}
            for row in _own(doing.here)
            if row.partners or row.sessions
        ]
        number = (known.number if known else 0) + 1
        SeatsShared.objects.update_or_create(
            peer=to,
            defaults={"org_id": actor.org, "number": number, "rows": rows, "as_of": doing.now},
        )
        body = {"number": number, "as_of": stamp(doing.now), "rows": rows}
        message_id = doing.send(to, "seats.shared", body, thread="", marking="TLP:GREEN")
        doing.record(
            Event.ACCESS_SEATS_SHARED,
            to.keyid[:16],
            body,
            marking="TLP:GREEN",
            message_id=message_id,
        )
        return {"number": number, "rows": rows}


@handles("seats.shared")
def on_shared(arrival: Arrival) -> None:
    """A lab shares its numbers; the newest stand."""
    body, doing = arrival.body, arrival.doing
    known = SeatsShared.objects.select_for_update(of=("self",)).filter(peer=arrival.peer).first()
    if known is not None and known.number >= body["number"]:
        return
    row = known or SeatsShared(org=organisation_of(doing, arrival.peer), peer=arrival.peer)
    row.number, row.rows = body["number"], body["rows"]
    row.as_of = parse_time(body["as_of"], field="body.as_of")
    row.save()
    doing.record(
        Event.ACCESS_SEATS_SHARED,
        arrival.peer.keyid[:16],
        dict(body),
        marking=arrival.message.marking,
        message_id=arrival.message.id,
    )
