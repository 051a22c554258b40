"""Assessments and determinations as the lab receives them.

The lab keeps what it receives as received; nothing in it touches the lab's dates.
"""

from __future__ import annotations

from vedette.kernel.canonical import canonical, digest
from vedette.kernel.errors import BadInput
from vedette.kernel.events import Event
from vedette.services.inbox import Arrival, handles
from vedette.services.sides import arrived_act
from vedette.store.models import Assessment, Determination


@handles("assessment.shared")
def on_shared(arrival: Arrival) -> None:
    """The lab receives an assessment."""
    maker = arrival.peer.name
    _keep(arrival, Assessment, "assessment", maker, Event.BENCH_ASSESSMENT_RECEIVED)


@handles("determination.shared")
def on_determination(arrival: Arrival) -> None:
    """The lab receives a determination record."""
    maker = str(arrival.body["document"].get("maker", ""))[:200]
    _keep(arrival, Determination, "determination", maker, Event.BENCH_DETERMINATION_RECEIVED)


def _keep(
    arrival: Arrival,
    table: type[Assessment] | type[Determination],
    named: str,
    maker: str,
    event: Event,
) -> None:
    """Keep a document whose digest fits it; `named` is the field with its id."""
    body, act = arrival.body, arrived_act(arrival)
    if digest(canonical(body["document"])) != body["digest"]:
        raise BadInput("body.digest: does not fit the document", kept="the message")
    row = table(
        id=body[named],
        org_id=act.org_id,
        act=act,
        document=body["document"],
        digest=body["digest"],
        marking=arrival.message.marking,
        declassify=body.get("declassify", ""),
        made_by=maker,
        made_at=arrival.doing.now,
        shared_at=arrival.doing.now,
    )
    row.save(force_insert=True)
    arrival.doing.record(
        event,
        row.id,
        {"digest": row.digest},
        marking=row.marking,
        message_id=arrival.message.id,
    )
