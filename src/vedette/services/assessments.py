"""Assessments and determinations: made by the office from a run, shared with the lab.

Rules:
- An assessment's marking is computed from what it is made of.
- What crosses to the lab is the releasable summary: no item's text, no canary, no threshold.
- A determination names its maker and those consulted, and keeps the digests of the assessment
  and of the policy pack that it was made on.
- What arrives at the lab is `services.assessments_received`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from vedette.bench import assessment as rules
from vedette.bench.determination import (
    Consultation,
    Determination,
    Outcome,
    Rule,
    Threshold,
    determine,
)
from vedette.kernel.bounds import from_text, read_json, to_text
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.services import access_limits, custody, releasable, runs
from vedette.services import determination_bases as bases
from vedette.services.acting import Actor, act, reading
from vedette.services.binding import require_reading, why_withheld
from vedette.services.document_kinds import derived_instruction
from vedette.services.here import here
from vedette.services.run_commitments import threshold_for
from vedette.services.sides import only
from vedette.services.suites import suite_of
from vedette.store.models import Assessment, Run
from vedette.store.models import Determination as DeterminationRow


def make_assessment(actor: Actor, run_id: str, limits: Sequence[str] = ()) -> Assessment:
    """Compute the assessment of a finished run; the same run again gives the same row."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.ASSESSMENT_MAKE) as doing:
        run = runs.find_run(run_id)
        known = Assessment.objects.filter(run=run).first()
        if known is not None:
            return known
        releasable.check_releasable(run, list(limits))
        made = _assess(run, doing.now, (*access_limits.limits_of(run, doing.now), *limits))
        row = Assessment(
            org_id=actor.org,
            act=run.act,
            run=run,
            document=made.to_json(),
            digest=made.digest,
            marking=str(made.marking),
            made_by=actor.name,
            made_at=doing.now,
        )
        row.save(force_insert=True)
        doing.record(
            Event.BENCH_ASSESSMENT_MADE, row.id, {"digest": row.digest}, marking=row.marking
        )
        return row


def _assess(run: Run, now: Any, limits: Sequence[str]) -> rules.Assessment:
    suite = suite_of(run.suite, run.suite_digest)
    markings = [suite.marking, Marking.parse(run.marking)]
    if run.act is not None:
        markings.append(Marking.parse(run.act.marking))
    result = runs.result_of(run)
    parts = access_limits.parts_of(run, result, now)
    record = {k: v for k, v in run.custody_record.items() if k not in runs.OWN_BUSINESS}
    made = rules.assess(
        result,
        markings=markings,
        now=now,
        limits=limits,
        parts=parts,
        record=record,
        domains={item.id: item.domain for item in suite.items},
    )
    return releasable.without_words(run, made)


def share_assessment(actor: Actor, assessment_id: str) -> Assessment:
    """Send the releasable summary to the lab."""
    only(Profile.OFFICE, actor)
    with act(actor, Permission.ASSESSMENT_MAKE) as doing:
        row = find_assessment(assessment_id)
        if row.act is None:
            raise Refused("this run was on no lab's model", kept="the assessment")
        made = assessed_again(row)
        summary = made.releasable()
        if row.run is not None:
            releasable.check_releasable(row.run, summary)
        message_id = doing.send(
            row.act.peer,
            "assessment.shared",
            {
                "assessment": row.id,
                "act": row.act_id,
                "document": summary,
                "digest": digest(canonical(summary)),
                "declassify": derived_instruction(row) or None,
            },
            thread=row.act.id,
            marking=row.marking,
        )
        row.shared_at = doing.now
        row.save(update_fields=["shared_at"])
        doing.record(
            Event.BENCH_ASSESSMENT_SHARED,
            row.id,
            {"digest": row.digest},
            marking=row.marking,
            message_id=message_id,
        )
        return row


def assessed_again(row: Assessment) -> rules.Assessment:
    """The assessment as an object; made again from its run, and checked against what is kept.

    Its limits are those that were said then: sentences, which a later version may word otherwise.
    """
    if row.run is None:
        raise Refused("this assessment was received, not made here", kept="the assessment")
    made = _assess(row.run, row.made_at, ())
    again = dataclasses.replace(made, limits=tuple(row.document["limits"]))
    if again.digest != row.digest:
        raise Refused(
            "the run, or how figures are made of it, has changed since the assessment was made",
            kept="both as they are",
        )
    return again


def record_determination(
    actor: Actor,
    assessment_id: str,
    *,
    subject: str,
    threshold: str,
    maker: str,
    why: str,
    consulted: Sequence[Mapping[str, str]] = (),
    outcome: str = "",
    review: str = "",
    build: str = "",
    earlier: str = "",
) -> DeterminationRow:
    """Record a determination and send its releasable part to the lab.

    Args:
        assessment_id: "" where nothing was run: then `review` and `outcome` are given.
        review: the review that it rests on; its offices and what they hold enter the record.
        build: the build it is about; the session's by default.
        earlier: the determination that this one re-tests, which stays as it is.
        threshold: decimal share; kept here sealed with the nonce of its commitment, which alone
            crosses. "" for the one that the run committed to.
        consulted: `{"office", "view", "on" (YYYY-MM-DD)}` each.
    """
    only(Profile.OFFICE, actor)
    with act(actor, Permission.DETERMINATION_RECORD) as doing:
        row = find_assessment(assessment_id) if assessment_id else None
        pack = doing.here.pack
        hidden = threshold_for(row.run, threshold) if row else None
        on = bases.find(actor, row, review, build, earlier)
        made = determine(
            assessed_again(row) if row else None,
            subject or on.model,
            rule=Rule(pack.text("determination", "id"), pack.digest),
            threshold=hidden,
            maker=maker,
            why=why,
            consulted=[*on.consulted, *(_consultation(c) for c in consulted)],
            now=doing.now,
            outcome=_outcome(outcome),
            basis=on.basis,
        )
        kept = _keep(actor, row, made, hidden, on)
        bases.keep(doing, kept, on)
        doing.record(
            Event.BENCH_DETERMINATION_RECORDED,
            kept.id,
            {"digest": kept.digest},
            marking=kept.marking,
        )
        if on.act is not None:
            summary = made.releasable(shared=row is not None and row.shared_at is not None)
            if row is not None and row.run is not None:
                releasable.check_releasable(row.run, summary)
            doing.send(
                on.act.peer,
                "determination.shared",
                {
                    "determination": kept.id,
                    "act": on.act.id,
                    "document": summary,
                    "digest": digest(canonical(summary)),
                    "declassify": derived_instruction(kept) or None,
                },
                thread=on.act.id,
                marking=kept.marking,
            )
            custody.ends_with_answer(doing, on.act)
        return kept


def _outcome(text: str) -> Outcome | None:
    if not text:
        return None
    if text not in {str(o.value) for o in Outcome}:
        raise BadInput(f"outcome: {text[:40]!r} is none of {', '.join(o.value for o in Outcome)}")
    return Outcome(text)


def _keep(
    actor: Actor,
    row: Assessment | None,
    made: Determination,
    hidden: Threshold | None,
    on: bases.Found,
) -> DeterminationRow:
    """Keep the record; threshold and margins sealed, because either tells the other."""
    told = {"value": str(hidden.value), "nonce": hidden.nonce, **made.secret()} if hidden else {}
    now = here().clock.now()
    kept = DeterminationRow(
        id=new_id("determination"),
        org_id=actor.org,
        act=on.act,
        assessment=row,
        sealed_threshold=to_text(here().keys.public.seal(canonical(told))) if told else "",
        document=made.to_json(),
        digest=made.digest,
        marking=on.marking,
        made_by=made.maker,
        made_at=now,
        shared_at=now if on.act else None,
    )
    kept.save(force_insert=True)
    return kept


def open_sealed_threshold(determination_id: str) -> Threshold:
    """The threshold behind a determination's commitment; under the present scope.

    `custody_views.ask_threshold` asks for it as the pack says: by two persons.
    """
    secret = _secret(determination_id)
    return Threshold.parse(secret["value"], secret["nonce"])


def open_margins(actor: Actor, determination_id: str) -> tuple[str, str]:
    """The distances of the interval's bounds to the threshold, for those who may record one."""
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.DETERMINATION_RECORD):
        secret = _secret(determination_id)
    return secret.get("margin_low", ""), secret.get("margin_high", "")


def _secret(determination_id: str) -> dict[str, str]:
    row = DeterminationRow.objects.filter(id=determination_id).first()
    if row is None or not row.sealed_threshold:
        raise NotFound(f"determination {determination_id[:40]!r} is not here")
    sealed = from_text(row.sealed_threshold, field="sealed_threshold")
    return dict(read_json(here().keys.open(sealed), source="sealed threshold"))


def _consultation(value: Mapping[str, str]) -> Consultation:
    try:
        return Consultation(value["office"], value["view"], date.fromisoformat(value["on"]))
    except KeyError as error:
        raise BadInput(f"consulted.{error.args[0]}: missing") from None
    except ValueError:
        raise BadInput("consulted.on: a date like 2026-12-24 expected") from None


def find_assessment(assessment_id: str) -> Assessment:
    """The assessment of this id, among those in scope. Raises NotFound."""
    row = (
        Assessment.objects.select_related("act", "act__peer", "run", "run__act", "run__session")
        .filter(id=assessment_id)
        .first()
    )
    if row is None:
        raise NotFound(f"assessment {assessment_id[:40]!r} is not here")
    return row


def listed_assessments(actor: Actor) -> list[tuple[Assessment, str]]:
    """Assessments made or received, newest first, each with why its terms keep it from `actor`."""
    with reading(actor, Permission.ASSESSMENT_READ):
        rows = Assessment.objects.select_related("act", "run").order_by("-made_at", "id")
        return [(row, why_unread(actor, row)) for row in rows]


def list_assessments(actor: Actor) -> list[Assessment]:
    """Those that `actor` may read now, newest first."""
    return [row for row, why in listed_assessments(actor) if not why]


def assessment_view(actor: Actor, assessment_id: str) -> tuple[Assessment, list[DeterminationRow]]:
    """One assessment with the determinations that rest on it (or on its act, where received)."""
    with reading(actor, Permission.ASSESSMENT_READ):
        row = find_assessment(assessment_id)
        _bound(actor, row)
        rows = DeterminationRow.objects.order_by("made_at")
        mine = rows.filter(assessment=row) if row.run_id else rows.filter(act=row.act)
        return row, list(mine)


def _bound(actor: Actor, row: Assessment) -> None:
    """Raise Refused where the terms of its window do not let this person read it."""
    if row.act is not None:
        require_reading(actor, row.act)


def why_unread(actor: Actor, row: Assessment | DeterminationRow) -> str:
    """Why the terms of its window keep it from this person; "" where they do not."""
    return why_withheld(actor, row.act, on_page=True) if row.act is not None else ""


def leaves_pages(actor: Actor, row: Assessment) -> bool:
    """Whether the terms of its window let its report leave the pages with this person."""
    return row.act is None or not why_withheld(actor, row.act, on_page=False)


def for_programs(actor: Actor, row: Assessment | DeterminationRow) -> dict[str, Any]:
    """An assessment or a determination for the API; `withheld` says why it has no document."""
    with reading(actor):
        why = why_withheld(actor, row.act, on_page=False) if row.act is not None else ""
    return {**as_json(row), "withheld": why, **({"document": {}} if why else {})}


def as_json(row: Assessment | DeterminationRow) -> dict[str, Any]:
    """What was just made, for whoever made it."""
    return {
        "id": row.id,
        "act": row.act_id,
        "document": row.document,
        "digest": row.digest,
        "marking": row.marking,
        "made_by": row.made_by,
        "made_at": format_time(row.made_at),
        "shared_at": format_time(row.shared_at) if row.shared_at else None,
    }
