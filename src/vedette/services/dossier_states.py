"""The dossier's fields that crossed with an act: as offered, and each later state of them.

Rules:
- A lab sends an update when it likes, as long as the act stands. Only fields that can cross do.
- An update is the whole of what crosses now, with a number; the highest counts, whatever the
  order of arrival. Earlier states stay on both sides.
- Why a field does not come is the lab's to say or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vedette.engagement.acts import ActState
from vedette.kernel import markings
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.events import Event
from vedette.kernel.markings import Marking
from vedette.kernel.packs import PolicyPack
from vedette.kernel.permissions import Permission, Profile
from vedette.readiness.dossier import fields_of
from vedette.readiness.worksheet import State
from vedette.services.acting import Actor, act, reading
from vedette.services.inbox import Arrival, handles
from vedette.services.offers import dossier_part
from vedette.services.parties import words
from vedette.services.sides import arrived_act, find_act, only
from vedette.store.models import Act, DossierState
from vedette.store.tenancy import SYSTEM, scoped

STANDING = (ActState.OFFERED, ActState.ACCEPTED)
UPDATES = 1_000


def states_of(row: Act) -> tuple[State, ...]:
    """What crossed with the act, oldest first; number 0 is the offer itself."""
    with scoped(SYSTEM):
        later = DossierState.objects.filter(act=row).order_by("number")
        return (
            State(0, dict(row.dossier), {}, row.offered_at),
            *(State(s.number, dict(s.values), dict(s.withheld), s.at) for s in later),
        )


def latest(actor: Actor, act_id: str) -> State:
    """The newest state of the fields that crossed with an act in the reader's scope."""
    with reading(actor, Permission.ENGAGEMENT_READ):
        return states_of(find_act(act_id))[-1]


def dossier_marking(row: Act) -> Marking:
    """The marking of all that crossed with the act."""
    with scoped(SYSTEM):
        later = DossierState.objects.filter(act=row).values_list("marking", flat=True)
        return markings.join(Marking.parse(text) for text in (row.marking, *later))


def update_dossier(
    actor: Actor,
    act_id: str,
    fields: Iterable[str],
    withheld: Mapping[str, str] | None = None,
) -> DossierState:
    """The lab sends the dossier's chosen fields as they are now.

    Args:
        fields: ids of all the fields that cross from now on.
        withheld: why a field does not come, by its id, where the lab likes to say so.
    """
    only(Profile.LAB, actor)
    with act(actor, Permission.ENGAGEMENT_OFFER) as doing:
        row = find_act(act_id)
        if row.state not in STANDING:
            raise Refused(f"the act is {row.state}", next_step="offer it again")
        part = dossier_part(doing, row.model, fields)
        values: Any = dict(part.values)
        said: Any = _reasons(doing.here.pack, withheld or {}, part.values)
        number = row.dossier_states.count() + 1
        if number > UPDATES:
            raise Refused(f"an act takes at most {UPDATES} updates", next_step="offer it again")
        made = DossierState(
            org_id=actor.org,
            act=row,
            number=number,
            values=values,
            withheld=said,
            pack=doing.here.pack.ref,
            pack_digest=doing.here.pack.digest,
            marking=str(markings.join([Marking.parse(row.marking), part.marking])),
            at=doing.now,
        )
        made.save(force_insert=True)
        body = {
            "act": row.id,
            "number": number,
            "dossier": made.values,
            "withheld": made.withheld,
            "pack": made.pack,
            "pack_digest": made.pack_digest,
        }
        message = doing.send(row.peer, "dossier.updated", body, thread=row.id, marking=made.marking)
        doing.record(
            Event.ENGAGEMENT_DOSSIER_UPDATED,
            row.id,
            {"number": number, "values": made.values},
            marking=made.marking,
            message_id=message,
        )
        return made


def _reasons(
    pack: PolicyPack, given: Mapping[str, str], values: Mapping[str, str]
) -> dict[str, str]:
    crossing = {field.id for field in fields_of(pack) if field.crosses}
    said = {}
    for key, reason in given.items():
        if key not in crossing:
            raise BadInput(f"withheld.{key[:60]}: the form has no such field that can cross")
        if key in values:
            raise BadInput(f"withheld.{key}: this field does come")
        if text := words(reason, f"withheld.{key}", 2_000, empty=True):
            said[key] = text
    return said


@handles("dossier.updated")
def on_updated(arrival: Arrival) -> None:
    """The office receives a later state of the dossier's fields."""
    row, body = arrived_act(arrival), arrival.body
    known = row.dossier_states.filter(number=body["number"]).first()
    if known is not None:
        if (known.values, known.withheld) != (body["dossier"], body["withheld"]):
            raise Refused("this state of the dossier came before, with other content", kept="that")
        return
    made = DossierState(
        org_id=row.org_id,
        act=row,
        number=body["number"],
        values=body["dossier"],
        withheld=body["withheld"],
        pack=body["pack"],
        pack_digest=body["pack_digest"],
        marking=arrival.message.marking,
        at=arrival.doing.now,
    )
    made.save(force_insert=True)
    arrival.doing.record(
        Event.ENGAGEMENT_DOSSIER_UPDATED,
        row.id,
        {"number": made.number, "values": made.values},
        marking=made.marking,
        message_id=arrival.message.id,
    )
