"""What people see besides an act itself: its history, and the determinations on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vedette.engagement.acts import ActState
from vedette.engagement.table import Actor as Side
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import NotFound
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.ledger.timeline import title
from vedette.services.acting import Actor, reading
from vedette.services.assessments import why_unread
from vedette.services.binding import require_reading
from vedette.services.here import here
from vedette.services.sides import own_side
from vedette.store.models import (
    Act,
    Determination,
    InMessage,
    LedgerEntry,
    TermsAcceptance,
    TermsStrike,
)

TOLD = ("engagement:",)
NOBODYS = frozenset(
    {
        Event.ENGAGEMENT_ACT_LAPSED,
        Event.ENGAGEMENT_TERMS_OVERTAKEN,
        Event.ENGAGEMENT_TERMS_REPLACED,
        Event.ENGAGEMENT_WINDOW_AGREED,
        Event.ENGAGEMENT_WINDOW_CLOSED,
        Event.ENGAGEMENT_WINDOW_OPENED,
    }
)


@dataclass(frozen=True)
class Told:
    """One entry of an act's history: what happened, when, by whom on this side, who is meant."""

    what: str
    at: datetime
    role: str = ""
    person: str = ""


def history(actor: Actor, act_id: str) -> list[Told]:
    """What happened to an act, oldest first.

    The ledger holds neither names nor answers: whom terms were accepted by, or who was struck, say
    the rows that were made with the entries, one each, in their order.
    """
    with reading(actor, Permission.ENGAGEMENT_READ):
        if not Act.objects.filter(id=act_id).exists():
            raise NotFound(f"act {act_id[:40]!r} is not here")
        people = {
            str(event): iter(
                rows.filter(act_id=act_id).order_by("pk").values_list("person", flat=True)
            )
            for event, rows in (
                (Event.ENGAGEMENT_TERMS_ACCEPTED, TermsAcceptance.objects),
                (Event.ENGAGEMENT_PERSON_STRUCK, TermsStrike.objects),
            )
        }
        rows = list(LedgerEntry.objects.filter(object_id=act_id).order_by("seq")[:500])
        words = in_words(actor, rows)
        return [
            Told(
                words[row.seq],
                parse_time(row.time, field="time"),
                "" if row.role == "instance" else row.role,
                next(people.get(row.event, iter(())), ""),
            )
            for row in rows
            if row.event.startswith(TOLD)
        ]


def in_words(actor: Actor, entries: Sequence[LedgerEntry]) -> dict[int, str]:
    """Entries by their number in words; those on acts that `actor` may read say which side did
    it, and what the answer was. An act is answered once: offered again it is another one.
    """
    words = {entry.seq: title(entry.event) for entry in entries}
    if here().profile not in (Profile.LAB, Profile.OFFICE):
        return words
    if not actor.may(Permission.ENGAGEMENT_READ):
        return words
    with reading(actor):
        told = [e for e in entries if e.event.startswith(TOLD) and e.event not in NOBODYS]
        states = dict(
            Act.objects.filter(id__in={e.object_id for e in told}).values_list("id", "state")
        )
        ids = {e.message_id for e in told if e.role == "instance" and e.message_id}
        came = set(
            InMessage.objects.filter(message_id__in=ids).values_list("message_id", flat=True)
        )
    own = own_side()
    other = Side.OFFICE if own == Side.LAB else Side.LAB
    for entry in told:
        if entry.object_id not in states:
            continue
        what = words[entry.seq]
        if entry.event == Event.ENGAGEMENT_ACT_ANSWERED:
            declined = states[entry.object_id] == ActState.DECLINED
            what = f"Act {ActState.DECLINED if declined else ActState.ACCEPTED}"
        side = other if entry.role == "instance" and entry.message_id in came else own
        words[entry.seq] = f"{what} by the {side}"
    return words


def listed_determinations(actor: Actor) -> list[tuple[Determination, str]]:
    """Determinations recorded here or received, newest first, each with why its terms keep it."""
    with reading(actor, Permission.ASSESSMENT_READ):
        rows = Determination.objects.select_related("act", "act__peer", "assessment")
        newest = rows.order_by("-made_at", "id")[:500]
        return [(row, why_unread(actor, row)) for row in newest]


def determinations(actor: Actor) -> list[Determination]:
    """Those that `actor` may read now, newest first."""
    return [row for row, why in listed_determinations(actor) if not why]


def determination_view(actor: Actor, determination_id: str) -> Determination:
    """One determination with its act and assessment."""
    with reading(actor, Permission.ASSESSMENT_READ):
        rows = Determination.objects.select_related(
            "act__peer", "assessment__act__peer", "assessment__run__act__peer"
        )
        row: Any = rows.filter(id=determination_id).first()
        if row is None:
            raise NotFound(f"determination {determination_id[:40]!r} is not here")
        if row.act is not None:
            require_reading(actor, row.act)
        return row
