"""What people see besides an act itself: its history, and the determinations on record."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from vedette.kernel.clock import parse_time
from vedette.kernel.errors import NotFound
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission
from vedette.services.acting import Actor, reading
from vedette.services.binding import require_reading
from vedette.store.models import Act, Determination, LedgerEntry, TermsAcceptance, TermsStrike

TOLD = ("engagement:",)


def history(actor: Actor, act_id: str) -> list[tuple[str, datetime, str, str]]:
    """What happened to an act, oldest first: event, time, role of who did it, and who is meant.

    The ledger holds no names: whom terms were accepted by, or who was struck, say the rows that
    were made with the entries, one each, in their order.
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
        rows = LedgerEntry.objects.filter(object_id=act_id).order_by("seq")
        return [
            (
                row.event,
                parse_time(row.time, field="time"),
                row.role,
                next(people.get(row.event, iter(())), ""),
            )
            for row in rows[:500]
            if row.event.startswith(TOLD)
        ]


def determinations(actor: Actor) -> list[Determination]:
    """Determinations recorded here or received, newest first."""
    with reading(actor, Permission.ASSESSMENT_READ):
        rows = Determination.objects.select_related("act", "act__peer", "assessment")
        return list(rows.order_by("-made_at", "id")[:500])


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
