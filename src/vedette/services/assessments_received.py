"""Assessments and determinations as the lab receives them.

The lab keeps what it receives as received; nothing in it touches the lab's dates.
"""

from __future__ import annotations

from vedette.kernel.canonical import canonical, digest
from vedette.kernel.errors import BadInput
from vedette.kernel.events import Event
from vedette.services.inbox import Arrival, handles
from vedette.services.sides import arrived_act
from vedette.store.models import Assessment
from vedette.store.models import Determination as DeterminationRow


@handles("assessment.shared")
def on_shared(arrival: Arrival) -> None:
    """The lab receives an assessment."""
    body, row_act = arrival.body, arrived_act(arrival)
    if digest(canonical(body["document"])) != body["digest"]:
        raise BadInput("body.digest: does not fit the document", kept="the message")
    row = Assessment(
        id=body["assessment"],
        org_id=row_act.org_id,
        act=row_act,
        document=body["document"],
        digest=body["digest"],
        marking=arrival.message.marking,
        declassify=body.get("declassify", ""),
        made_by=arrival.peer.name,
        made_at=arrival.doing.now,
        shared_at=arrival.doing.now,
    )
    row.save(force_insert=True)
    arrival.doing.record(
        Event.BENCH_ASSESSMENT_RECEIVED,
        row.id,
        {"digest": row.digest},
        marking=row.marking,
        message_id=arrival.message.id,
    )


@handles("determination.shared")
def on_determination(arrival: Arrival) -> None:
    """The lab receives a determination record."""
    body, row_act = arrival.body, arrived_act(arrival)
    if digest(canonical(body["document"])) != body["digest"]:
        raise BadInput("body.digest: does not fit the document", kept="the message")
    row = DeterminationRow(
        id=body["determination"],
        org_id=row_act.org_id,
        act=row_act,
        document=body["document"],
        digest=body["digest"],
        marking=arrival.message.marking,
        declassify=body.get("declassify", ""),
        made_by=str(body["document"].get("maker", ""))[:200],
        made_at=arrival.doing.now,
        shared_at=arrival.doing.now,
    )
    row.save(force_insert=True)
    arrival.doing.record(
        Event.BENCH_DETERMINATION_RECEIVED,
        row.id,
        {"digest": row.digest},
        marking=row.marking,
        message_id=arrival.message.id,
    )
