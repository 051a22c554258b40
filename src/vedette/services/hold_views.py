"""Records and legal holds as people see them: on an act's material, or on an extract."""

from __future__ import annotations

from typing import Any

from vedette.engagement import custody as rules
from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission
from vedette.services.acting import Actor, reading
from vedette.services.here import here
from vedette.services.sides import own_side, stamp
from vedette.store.models import Act, Hold, Review
from vedette.store.tenancy import SYSTEM, scoped


def hold_row(hold: Hold, actor: Actor) -> dict[str, Any]:
    """One hold, for pages and the API."""
    now = here().clock.now()
    known = rules.Hold(hold.id, hold.from_at, hold.until_at, hold.lifted_at)
    ended = "lifted" if hold.lifted_at else "ended"
    return {
        "id": hold.id,
        "side": hold.side,
        "kind": hold_kinds().get(hold.kind, hold.kind),
        "basis": hold.basis,
        "authority": hold.authority,
        "note": hold.note,
        "set_by": hold.set_by,
        "from": stamp(hold.from_at),
        "until": stamp(hold.until_at),
        "state": "in force" if rules.in_force(known, now) else ended,
        "lifted_at": stamp(hold.lifted_at),
        "lifted_by": hold.lifted_by,
        "lift_reason": hold.lift_reason,
        "behalf": hold.behalf,
        "own": hold.side == own_side() and hold.org_id == actor.org,
    }


def hold_kinds() -> dict[str, str]:
    """The titles of the kinds of holds that the pack knows, by id."""
    return {row["id"]: str(row["title"]) for row in here().pack.records("custody", "hold_kinds")}


def find_hold(actor: Actor, hold_id: str) -> tuple[Hold, dict[str, Any]]:
    """One hold with what it is on, the act or the extract."""
    with reading(actor, Permission.CUSTODY_HOLD):
        row = Hold.objects.filter(id=hold_id).first()
        if row is None:
            raise NotFound(f"hold {hold_id[:40]!r} is not here")
        about: Any = row.consultation
        with scoped(SYSTEM):  # a guest's hold is on the lead's act
            about = about or Act.objects.get(id=row.act_id)
        on = {"act_kind": about.kind, "model": about.model, "marking": about.marking}
        return row, {**hold_row(row, actor), **on}


def guest_holds(actor: Actor, review_id: str = "") -> list[dict[str, Any]]:
    """The holds of an office that signs in here, newest first; its own alone."""
    with reading(actor, Permission.REVIEW_READ):
        rows = Hold.objects.filter(org_id=actor.org).exclude(behalf="").order_by("-set_at", "id")
        if review_id:
            rows = rows.filter(act_id__in=Review.objects.filter(id=review_id).values("act_id"))
        found = list(rows)
        with scoped(SYSTEM):
            acts = Act.objects.filter(id__in=[row.act_id for row in found])
            models = dict(acts.values_list("id", "model"))
        return [{**hold_row(row, actor), "model": models[row.act_id]} for row in found]
