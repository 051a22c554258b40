"""Which side of an engagement this instance is, and whose people may act for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from vedette.engagement.table import Actor as Side
from vedette.engagement.table import Row
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, Forbidden, NotFound
from vedette.kernel.permissions import Profile
from vedette.services.acting import Actor
from vedette.services.here import here
from vedette.services.inbox import Arrival, NotYet
from vedette.store.models import Act

_SIDES = {Profile.LAB: Side.LAB, Profile.OFFICE: Side.OFFICE}


def own_side() -> Side:
    """The side that this instance is. Raises NotFound on an instance that is neither."""
    side = _SIDES.get(here().profile)
    if side is None:
        raise NotFound(f"a {here().profile} has no part in this")
    return side


def only(profile: Profile, actor: Actor) -> None:
    """Raise NotFound unless `actor` belongs to this instance's own organisation of `profile`."""
    if here().profile != profile or not (actor.host or actor.system):
        raise NotFound("no such thing here")


def may_move(actor: Actor, row: Row) -> None:
    """Raise unless `actor` belongs to this instance's organisation and may take this move."""
    if not (actor.host or actor.system):
        raise NotFound("no such thing here")
    if row.permission is None:
        raise Forbidden("this move is the clock's alone")
    actor.require(row.permission)


def find_act(act_id: str) -> Act:
    """The act of this id, among those in scope; locked until the transaction ends."""
    row = Act.objects.select_related("peer").select_for_update(of=("self",)).filter(id=act_id)
    found = row.first()
    if found is None:
        raise NotFound(f"act {act_id[:40]!r} is not here")
    return found


def arrived_act(arrival: Arrival) -> Act:
    """The act that a message is about, if it is one with that sender. Raises NotYet."""
    rows = Act.objects.select_related("peer").select_for_update(of=("self",))
    found = rows.filter(id=arrival.body["act"], peer_id=arrival.peer.keyid).first()
    if found is None:
        raise NotYet(f"act {arrival.body['act']} has not arrived")
    return found


def note(text: str, field: str, limit: int = 4_000) -> str:
    """Free text within its bound. Raises BadInput naming `field`."""
    if len(text) > limit:
        raise BadInput(f"{field}: {len(text):,} characters, at most {limit:,}")
    return text


def stamp(value: datetime | None) -> str | None:
    return format_time(value) if value else None


def page_moment(values: dict[str, Any]) -> dict[str, Any]:
    """`values` with each time as RFC 3339 text."""
    return {k: stamp(v) if isinstance(v, datetime) else v for k, v in values.items()}
