"""A run's commitment: made and signed by the office, told to the lab, kept to by what comes after.

Rules:
- It is made with the run's row, before any job is: suite, items, subjects, budgets, rule and
  threshold, seed, custody, isolation. Its digest is in the ledger entry of that act.
- Where the run is about a lab's model, the lab is told the digest in the same transaction, and
  keeps it. It is not told items or suite.
- The threshold is sealed for this instance as soon as it is given; outside, its digest stands for
  it.
- A determination takes the committed threshold by itself. One that is made under another, or under
  another rule or pack, says so in its record.
"""

from __future__ import annotations

from typing import Any

from vedette.bench.commitment import Commitment, Criterion
from vedette.bench.determination import Threshold
from vedette.kernel.bounds import from_text, read_json, to_text
from vedette.kernel.canonical import canonical, new_salt
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput
from vedette.kernel.events import Event
from vedette.kernel.packs import PolicyPack
from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor, Doing, reading
from vedette.services.binding import require_export
from vedette.services.here import here
from vedette.services.inbox import Arrival, handles
from vedette.services.sides import arrived_act, only
from vedette.store.models import Run, ToldCommitment


def hidden_threshold(text: str) -> Threshold | None:
    """A threshold behind a new nonce, None where none is given. Raises BadInput."""
    return Threshold.parse(text, new_salt()) if text else None


def criterion_of(pack: PolicyPack, hidden: Threshold | None) -> Criterion:
    """What a run started now commits to be held against."""
    rule = pack.text("determination", "id")
    return Criterion(rule, pack.digest, hidden.digest if hidden else "")


def commit(doing: Doing, run: Run, plan: Commitment, hidden: Threshold | None) -> None:
    """Keep a new run with its commitment, and tell the lab where it is about a lab's model."""
    run.commitment, run.custody = plan.to_json(), plan.custody
    run.signed_commitment = plan.signed(doing.here.keys)
    if hidden is not None:
        told = canonical({"value": str(hidden.value), "nonce": hidden.nonce})
        run.sealed_threshold = to_text(doing.here.keys.public.seal(told))
    message_id = _tell(doing, run, plan) if run.act is not None else ""
    if message_id and run.act is not None:
        run.custody_record = {**run.custody_record, "told": run.act.peer.name}
    run.save(force_insert=True)
    doing.record(
        Event.BENCH_RUN_COMMITTED,
        run.id,
        {"commitment": plan.digest},
        marking=run.marking,
        message_id=message_id,
    )


def _tell(doing: Doing, run: Run, plan: Commitment) -> str:
    assert run.act is not None
    body = {
        "run": run.id,
        "act": run.act_id,
        "session": run.session_id,
        "commitment": plan.digest,
        "custody": plan.custody,
        "rule": plan.criterion.rule,
        "threshold_digest": plan.criterion.threshold_digest or None,
        "items": len(plan.budgets),
        "trials": plan.trials,
        "committed": plan.committed_at,
    }
    given = {name: value for name, value in body.items() if value is not None}
    return doing.send(
        run.act.peer, "run.committed", given, thread=run.act.id, marking=run.act.marking
    )


@handles("run.committed")
def on_committed(arrival: Arrival) -> None:
    """The lab keeps what the office committed to; the same run again changes nothing."""
    body, act = arrival.body, arrived_act(arrival)
    parse_time(body["committed"], field="body.committed")
    if ToldCommitment.objects.filter(run=body["run"]).exists():
        return
    row = ToldCommitment(
        org_id=act.org_id,
        act=act,
        run=body["run"],
        digest=body["commitment"],
        document={name: value for name, value in body.items() if name != "act"},
        told_at=arrival.doing.now,
    )
    row.save(force_insert=True)
    arrival.doing.record(
        Event.BENCH_COMMITMENT_RECEIVED,
        body["run"],
        {"commitment": row.digest},
        marking=arrival.message.marking,
        message_id=arrival.message.id,
    )


def plan_in(run: Run) -> Commitment:
    """What a run committed to."""
    return Commitment.from_json(run.commitment)


def committed_threshold(run: Run) -> Threshold | None:
    """The threshold that a run committed to, None where it named none."""
    if not run.sealed_threshold:
        return None
    sealed = from_text(run.sealed_threshold, field="sealed_threshold")
    told = read_json(here().keys.open(sealed), source="sealed threshold")
    return Threshold.parse(told["value"], told["nonce"])


def threshold_for(run: Run | None, text: str) -> Threshold:
    """The threshold of a determination: the committed one where none or the same is given."""
    committed = committed_threshold(run) if run is not None else None
    if committed is not None and text in ("", str(committed.value)):
        return committed
    if not text:
        raise BadInput("threshold: must be given", next_step="the run committed to none")
    given = Threshold.parse(text, new_salt())
    return committed if committed is not None and committed.value == given.value else given


def commitment_view(actor: Actor, run_id: str) -> dict[str, Any]:
    """A run's commitment, signed, as a file to hand over, where the terms let it leave."""
    from vedette.services.runs import run_view

    only(Profile.OFFICE, actor)
    run = run_view(actor, run_id)
    if run.act is not None:
        with reading(actor, Permission.RUN_READ):
            require_export(actor, run.act)
    return dict(run.signed_commitment)


def told_before(actor: Actor, document: dict[str, Any]) -> str:
    """What a lab's own record says of the commitment that a received document names."""
    with reading(actor, Permission.ASSESSMENT_READ):
        if here().profile != Profile.LAB or not document.get("run"):
            return ""
        row = ToldCommitment.objects.filter(run=str(document["run"])[:40]).first()
        if row is None:
            return "The office told no commitment of this run beforehand."
        when = f"{row.told_at:%d %b %Y %H:%M} UTC"
        if row.digest == document.get("commitment_digest"):
            return f"The same that the office told on {when}."
        return f"Another than the office told on {when}: {row.digest}"
