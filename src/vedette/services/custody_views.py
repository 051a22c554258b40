"""What people see of custody: what is held until when, holds, certificates; for pages and API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from vedette.engagement import custody as rules
from vedette.engagement.custody import CUSTODY, CustodyState
from vedette.engagement.table import Actor as Side
from vedette.kernel.errors import NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.services import material, two_person, vault
from vedette.services.acting import Actor, Doing, act, reading
from vedette.services.assessments import open_sealed_threshold
from vedette.services.binding import require_export
from vedette.services.custody import EARLY, hold_rows, holds_of
from vedette.services.here import here
from vedette.services.hold_views import hold_kinds, hold_row
from vedette.services.sides import find_act, only, own_side, stamp
from vedette.store.models import Act, Custody, Seconding, WindowKey

EXPORT, THRESHOLD = "export-material", "open-threshold"
GIVING = (EXPORT, THRESHOLD)


def custodies(actor: Actor) -> list[dict[str, Any]]:
    """The custody of every act, those that end next first."""
    with reading(actor, Permission.ENGAGEMENT_READ):
        own_side()
        rows = Act.objects.select_related("peer", "custody").prefetch_related("holds")
        found = [_row(row) for row in rows.order_by("-offered_at", "id")[:500]]
        return sorted(found, key=lambda r: (r["state"] == "destroyed", r["due_at"] or "9999"))


def _row(row: Act) -> dict[str, Any]:
    made: Custody | None = getattr(row, "custody", None)
    now = here().clock.now()
    holding = rules.suspending(holds_of(row), now)
    return {
        "act": row.id,
        "kind": row.kind,
        "model": row.model,
        "peer": row.peer.name,
        "marking": row.marking,
        "state": _state(made, now),
        "held_by": len(holding),
        "ended_at": stamp(made.ended_at) if made else None,
        "due_at": stamp(made.due_at) if made else None,
        "destroyed_at": stamp(made.destroyed_at) if made else None,
        "asked_at": stamp(made.asked_at) if made else None,
    }


def _state(made: Custody | None, now: datetime) -> str:
    """The state by the hour: on the lab's side the clock alone says that material is due."""
    if made is None:
        return str(CustodyState.HELD)
    due = made.due_at is not None and made.due_at <= now
    return str(CustodyState.DUE if made.state == CustodyState.HELD and due else made.state)


def custody_view(actor: Actor, act_id: str) -> dict[str, Any]:
    """One act's custody: state, holds, key, what is held or was destroyed, the reader's moves."""
    with reading(actor, Permission.ENGAGEMENT_READ):
        row = Act.objects.select_related("peer", "custody").filter(id=act_id).first()
        if row is None:
            raise NotFound(f"act {act_id[:40]!r} is not here")
        made: Custody | None = getattr(row, "custody", None)
        office = own_side() == Side.OFFICE
        holds = hold_rows(row)
        return {
            **_row(row),
            "office": office,
            "key": _key(row) if office else None,
            "holds": [hold_row(hold, actor) for hold in holds],
            "ordered_by": made.ordered_by if made else "",
            "asked_by": made.asked_by if made else "",
            "asked_note": made.asked_note if made else "",
            "may_ask": not office
            and actor.host
            and actor.may(Permission.CUSTODY_HOLD)
            and not (made and made.destroyed_at),
            "certificate": made.certificate if made and made.destroyed_at else None,
            "digest": made.digest if made else "",
            "signature": made.signature if made else "",
            "copies": _copies(made.copies) if made else [],
            "list": made.returned or None if made else None,
            "listed_at": stamp(made.returned_at) if made else None,
            "counts": material.material_of(row.id)["counts"] if office else None,
            "may_hold": actor.host
            and actor.may(Permission.CUSTODY_HOLD)
            and not (made and made.destroyed_at),
            "may_list": office and actor.host and actor.may(Permission.CUSTODY_DESTROY),
            "may_export": office and actor.host and actor.may(Permission.CUSTODY_EXPORT),
            "destroy": _destroy_label(actor, made) if office else "",
            "proposed": _proposed(actor, row.id) if office else None,
        }


def _copies(copies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The copies as told, the kinds of their holds by title."""
    kinds = hold_kinds()

    def titled(hold: dict[str, str]) -> dict[str, str]:
        return {**hold, "kind": kinds.get(hold["kind"], hold["kind"])}

    return [
        {**c, **({"holds": [titled(h) for h in c["holds"]]} if "holds" in c else {})}
        for c in copies
    ]


def _destroy_label(actor: Actor, made: Custody | None) -> str:
    if not (actor.host and actor.may(Permission.CUSTODY_DESTROY)):
        return ""
    moves = CUSTODY.moves(made.state if made else CUSTODY.initial, Side.OFFICE)
    return next((move.label for move in moves), "")


def _proposed(actor: Actor, act_id: str) -> dict[str, Any] | None:
    """Who proposed to destroy it now, and until when a second person can, for who may."""
    if not (actor.host and actor.may(Permission.CUSTODY_DESTROY)):
        return None
    waits = two_person.waiting_for(EARLY, act_id)
    return {"by": waits.proposer, "lapses_at": stamp(waits.lapses_at)} if waits else None


def _key(row: Act) -> str:
    """How it stands with the act's key: here, destroyed, missing, or none was needed."""
    if vault.find_key(row.id) is not None:
        return "here"
    rows = WindowKey.objects.filter(about=row.id)
    if not rows.exists():
        return "none"
    return "missing" if rows.filter(destroyed_at=None).exists() else "destroyed"


def export_material(actor: Actor, act_id: str, why: str) -> Any:
    """Hand an act's material out as a document, where the terms let it; by two persons."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.CUSTODY_EXPORT) as doing:
        row = find_act(act_id)
        require_export(actor, row)
        return two_person.ask(doing, EXPORT, row.id, {}, why)


@two_person.kind(EXPORT, Permission.CUSTODY_EXPORT)
def _export(doing: Doing, act_id: str, arguments: dict[str, Any], by: str) -> Any:
    row = find_act(act_id)
    require_export(doing.actor, row)
    document = {"act": row.id, "by": by, "material": material.opened(row.id)}
    vault.log_reading(row.id, "export", row.id)
    payload = {"by": by, "things": len(document["material"])}
    doing.record(Event.CUSTODY_MATERIAL_EXPORTED, row.id, payload, marking=row.marking)
    return document


def ask_threshold(actor: Actor, determination_id: str, why: str) -> Any:
    """Open the threshold behind a determination's commitment, by two persons."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.DETERMINATION_RECORD) as doing:
        open_sealed_threshold(determination_id)
        return two_person.ask(doing, THRESHOLD, determination_id, {}, why)


@two_person.kind(THRESHOLD, Permission.DETERMINATION_RECORD)
def _threshold(doing: Doing, determination_id: str, arguments: dict[str, Any], by: str) -> Any:
    found = open_sealed_threshold(determination_id)
    return {
        "determination": determination_id,
        "threshold": str(found.value),
        "nonce": found.nonce,
        "digest": found.digest,
        "check": "the digest is the SHA-256 of the nonce's 32 bytes followed by the threshold as"
        f' JSON text: "{found.value.normalize()}"',
    }


def given(actor: Actor, second_id: str) -> Any:
    """What a seconded act gave, for its two persons: a document to keep. Raises Refused."""
    with act(actor, None) as doing:
        made = Seconding.objects.filter(id=second_id, state=two_person.DONE).first()
        pair = (made.proposer, made.seconder) if made else ()
        if made is None or vault.reader_id(actor) not in pair:
            raise NotFound(f"proposal {second_id[:40]!r} is not here")
        if made.kind not in GIVING:
            raise Refused("this act gave nothing to take away", kept="its record")
        hours = timedelta(hours=doing.here.pack.integer("two_person", "hours"))
        if made.settled_at is None or made.settled_at + hours <= doing.now:
            raise Refused("the time to take it away is over", next_step="propose it again")
        by = f"{made.proposer}, seconded by {made.seconder}"
        return {EXPORT: _export, THRESHOLD: _threshold}[made.kind](doing, made.object_id, {}, by)


def waits(made: Any) -> bool:
    """Whether what an act gave is a proposal that waits for a second person."""
    return isinstance(made, Seconding)


def outcome(made: Any) -> dict[str, Any]:
    """What the API says of an act: done, or the proposal that waits for a second person."""
    if waits(made):
        return {"done": False, "proposal": made.id}
    return {"done": True, "proposal": None}
