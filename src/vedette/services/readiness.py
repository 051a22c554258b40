"""The lab's own plan, dossier and decisions.

Rules:
- Only people of the lab's own organisation write here; no message, no job and not the instance
  itself does. No other module writes a plan's dates.
- Every change of a date enters the change log, with who made it and why.
- An earlier partner release cuts a window that would outlast it; a later one lengthens nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vedette.kernel.errors import BadInput, Forbidden, NotFound
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission, Profile
from vedette.readiness import decision as decisions
from vedette.readiness import dossier as dossiers
from vedette.readiness import plan as plans_rules
from vedette.services import engagement
from vedette.services.acting import Actor, Doing, act, reading
from vedette.services.here import here
from vedette.services.sides import note, only, stamp
from vedette.store.models import Decision, Dossier, Plan, PlanChange

CHANGE_LIMIT = 1_000


def make_plan(
    actor: Actor,
    model: str,
    partner_release: datetime,
    public_release: datetime | None = None,
    window_days: int | None = None,
    reason: str = "",
) -> Plan:
    """Make the release plan of a model, or change it; every change is logged with its reason."""
    _lab_person(actor)
    if not model.strip() or len(model) > 200:
        raise BadInput("model: 1 to 200 characters expected")
    note(reason, "reason", CHANGE_LIMIT)
    with act(actor, Permission.PLAN_EDIT) as doing:
        made = plans_rules.make_plan(doing.here.pack, partner_release, public_release, window_days)
        row = Plan.objects.select_for_update().filter(model=model.strip()).first()
        before = _dates(row) if row else {}
        if row is None:
            row = Plan(org_id=doing.actor.org, model=model.strip(), made_at=doing.now)
        row.partner_release, row.public_release = made.partner_release, made.public_release
        row.window_days, row.document = window_days, made.to_json()
        row.save()
        after = _dates(row)
        if after != before:
            _log_change(doing, row, before, after, reason)
            engagement.cut(row.model, row.partner_release)
        return row


def _log_change(
    doing: Doing, row: Plan, before: dict[str, Any], after: dict[str, Any], reason: str
) -> None:
    PlanChange(
        org_id=row.org_id,
        plan=row,
        at=doing.now,
        by=doing.actor.name[:200],
        before=before,
        after=after,
        reason=reason,
    ).save()
    doing.record(
        Event.READINESS_PLAN_MADE,
        row.id,
        {"before": before, "after": after, "reason": reason},
        marking="TLP:RED",
    )


def _dates(row: Plan) -> dict[str, Any]:
    return {
        "partner_release": stamp(row.partner_release),
        "public_release": stamp(row.public_release),
        "window_days": row.window_days,
    }


def _lab_person(actor: Actor) -> None:
    only(Profile.LAB, actor)
    if actor.system:
        raise Forbidden("a person of the lab does this, not the instance itself")


def fill_dossier(actor: Actor, model: str, values: Mapping[str, str]) -> Dossier:
    """Fill fields of a model's dossier; fields not named stay as they are."""
    _lab_person(actor)
    if not model.strip() or len(model) > 200:
        raise BadInput("model: 1 to 200 characters expected")
    with act(actor, Permission.DOSSIER_EDIT) as doing:
        problems = dossiers.check(doing.here.pack, values)
        if problems:
            field, problem = next(iter(problems.items()))
            raise BadInput(f"dossier.{field}: {problem}", kept="the dossier as it was")
        row = Dossier.objects.select_for_update().filter(model=model.strip()).first()
        if row is None:
            row = Dossier(org_id=actor.org, model=model.strip(), values={})
        row.values = {**row.values, **values}
        row.pack_digest, row.filled_at = doing.here.pack.digest, doing.now
        row.save()
        doing.record(
            Event.READINESS_DOSSIER_FILLED, row.id, {"values": row.values}, marking="TLP:RED"
        )
        return row


def decide(
    actor: Actor,
    plan_id: str,
    kind: str,
    choice: str,
    reason: str = "",
    conditions: tuple[str, ...] = (),
) -> Decision:
    """Record the lab's decision on one of the three acts; the latest counts, earlier ones stay."""
    _lab_person(actor)
    if choice not in tuple(decisions.Choice):
        raise BadInput(f"choice: {choice[:40]!r} is none of {', '.join(decisions.Choice)}")
    with act(actor, Permission.PLAN_EDIT) as doing:
        plan = _plan(plan_id)
        made = decisions.Decision(
            kind, decisions.Choice(choice), doing.now, actor.name[:200], reason, conditions
        )
        decisions.check_decision(doing.here.pack, made)
        row = Decision(
            org_id=actor.org,
            plan=plan,
            number=plan.decisions.count() + 1,
            kind=made.act,
            choice=str(made.choice),
            reason=reason,
            document={"conditions": list(conditions), "pack": doing.here.pack.ref},
            decided_by=made.decided_by,
            decided_at=doing.now,
        )
        row.save(force_insert=True)
        doing.record(
            Event.READINESS_DECISION_RECORDED,
            row.id,
            {"act": made.act, "choice": str(made.choice), "reason": reason},
            marking="TLP:RED",
        )
        return row


def _plan(plan_id: str) -> Plan:
    row = Plan.objects.filter(id=plan_id).first()
    if row is None:
        raise NotFound(f"plan {plan_id[:40]!r} is not here")
    return row


def plans(actor: Actor) -> list[dict[str, Any]]:
    """Every plan, newest partner release last: id, model, dates, length."""
    only(Profile.LAB, actor)
    with reading(actor, Permission.PLAN_READ):
        rows = Plan.objects.order_by("partner_release", "id")
        return [{"id": row.id, "model": row.model, **_dates(row)} for row in rows]


def plan(actor: Actor, plan_id: str) -> dict[str, Any]:
    """One plan with window, steps, change log, decisions, and how far the dossier is filled.

    `decisions` has each act of the order with its title, the decision that stands (or None) and
    those before it.
    """
    only(Profile.LAB, actor)
    with reading(actor, Permission.PLAN_READ) as instance:
        row = _plan(plan_id)
        dossier = Dossier.objects.filter(model=row.model).first()
        count = dossiers.completeness(instance.pack, dossier.values if dossier else {})
        changes = row.changes.order_by("at", "pk")
        return {
            "id": row.id,
            "model": row.model,
            **row.document,
            "window_days": row.window_days,
            "made_at": stamp(row.made_at),
            "changes": [
                {
                    "at": stamp(change.at),
                    "by": change.by,
                    "before": change.before,
                    "after": change.after,
                    "reason": change.reason,
                }
                for change in changes
            ],
            "decisions": _decisions(row),
            "dossier": {"filled": count.filled, "total": count.total},
        }


def _decisions(row: Plan) -> list[dict[str, Any]]:
    made = [
        {
            "id": found.id,
            "act": found.kind,
            "choice": found.choice,
            "reason": found.reason,
            "conditions": found.document.get("conditions", []),
            "decided_by": found.decided_by,
            "decided_at": stamp(found.decided_at),
        }
        for found in row.decisions.order_by("number")
    ]
    acts = here().pack.records("engagement", "acts")
    result = []
    for kind in acts:
        own = [one for one in made if one["act"] == kind["id"]]
        result.append(
            {
                "act": kind["id"],
                "title": kind["title"],
                "clause": kind["clause"],
                "text": kind["text"],
                "standing": own[-1] if own else None,
                "earlier": own[:-1],
            }
        )
    return result


def dossier(actor: Actor, model: str) -> dict[str, Any]:
    """A model's dossier as a form: sections of fields with their values, and the counts."""
    only(Profile.LAB, actor)
    with reading(actor, Permission.PLAN_READ) as instance:
        row = Dossier.objects.filter(model=model).first()
        values: dict[str, str] = row.values if row else {}
        count = dossiers.completeness(instance.pack, values)
        sections = []
        for key, title in dossiers.sections_of(instance.pack).items():
            filled, total = count.sections[key]
            fields = [
                {
                    "id": field.id,
                    "label": field.label,
                    "help": field.help,
                    "type": field.type,
                    "options": list(field.options),
                    "marking": str(field.marking),
                    "crosses": field.crosses,
                    "value": values.get(field.id, ""),
                }
                for field in dossiers.fields_of(instance.pack)
                if field.section == key
            ]
            sections.append(
                {"id": key, "title": title, "filled": filled, "total": total, "fields": fields}
            )
        return {
            "model": model,
            "filled": count.filled,
            "total": count.total,
            "filled_at": stamp(row.filled_at) if row else None,
            "pack": instance.pack.ref,
            "sections": sections,
        }
