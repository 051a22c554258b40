"""What became of a finding, told to its reporter: a message when it came by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vedette.clearinghouse.states import FindingState
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.events import Event
from vedette.services.acting import Doing
from vedette.services.inbox import Arrival, handles
from vedette.store.models import Finding

REASON_LIMIT = 1_000
REASONS = 50


def reply(doing: Doing, row: Finding, *more: str) -> None:
    """Tell the reporter of `row` where it stands; `more` are reasons besides the finding's own."""
    reasons = [text[:REASON_LIMIT] for text in (*row.why, *more)][:REASONS]
    row.answer = {
        "state": row.state,
        "case": row.case_id or "",
        "reasons": reasons,
        "at": format_time(doing.now),
    }
    row.save(update_fields=["answer"])
    if row.peer is None or not row.external_id:
        return
    body: dict[str, Any] = {"finding": row.external_id, "state": row.state, "reasons": reasons}
    if row.case_id:
        body["case"] = row.case_id
    doing.send(row.peer, "finding.answered", body, thread=row.external_id, marking=row.marking)


def _age(answer: Mapping[str, Any]) -> tuple[str, int, int]:
    """Sorts answers by when they were given; within one second by how far they go."""
    return answer["at"], list(FindingState).index(answer["state"]), len(answer["reasons"])


@handles("finding.answered")
def on_answered(arrival: Arrival) -> None:
    """Keep the clearinghouse's last word on a finding that this instance reported to it."""
    body = arrival.body
    if body["state"] not in tuple(FindingState):
        raise BadInput(f"finding.answered: state {body['state']!r} is unknown")
    row = Finding.objects.select_for_update().filter(id=body["finding"]).first()
    if row is None or row.sent_to_id != arrival.peer.keyid:
        raise NotFound("no such finding was reported to this peer")
    answer = {
        "state": body["state"],
        "case": body.get("case", ""),
        "reasons": list(body["reasons"]),
        "at": arrival.message.sent_at,
    }
    if row.answer and _age(answer) < _age(row.answer):
        return
    row.answer = answer
    row.state, row.why = body["state"], list(body["reasons"])
    row.save(update_fields=["answer", "state", "why"])
    arrival.doing.record(
        Event.FINDING_FINDING_ANSWERED,
        row.id,
        row.answer,
        marking=row.marking,
        message_id=arrival.message.id,
    )
