"""The worksheet of a review: each field of the dossier, what came of it, and who looked at it.

Rules:
- An office's worksheet has the fields that the lead shares with it and that its reader may read;
  of others that only a TLP label keeps from the reader the number is told.
- People of every office read under the terms in force: the named ones, after they accepted them.
- Each office checks for itself; the lead sees how far each one is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vedette.engagement.review import counted
from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.events import Event
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission
from vedette.readiness.dossier import fields_of, sections_of
from vedette.readiness.worksheet import OTHER, Line, Look, looked_at, worksheet
from vedette.services.acting import Actor, reading
from vedette.services.dossier_states import states_of
from vedette.services.here import here
from vedette.services.parties import readable
from vedette.services.review_comments import comments_of
from vedette.services.review_parties import (
    act_of,
    bound,
    leads,
    on_review,
    place_of,
    seen_review,
    working,
)
from vedette.services.sides import stamp
from vedette.store.models import FieldCheck, Question, Review
from vedette.store.tenancy import SYSTEM, scoped


def lines_of(row: Review) -> tuple[Line, ...]:
    """Every line of a review's worksheet, by the pack in force now."""
    act = act_of(row)
    return worksheet(fields_of(here().pack), states_of(act), Marking.parse(act.marking))


def _own(actor: Actor, row: Review, lines: tuple[Line, ...]) -> tuple[list[Line], int]:
    """The lines that the reader sees, and how many others it may know of."""
    place = place_of(actor, row)
    bound(actor, row)
    shared = [x for x in lines if place is None or x.field.id in place.fields]
    seen = [x for x in shared if readable(actor, str(x.field.marking))]
    hidden = [x.field.marking for x in shared if x not in seen]
    return seen, counted(hidden, Marking.parse(actor.clearance))


def worksheet_view(actor: Actor, review_id: str, *, on_page: bool = False) -> dict[str, Any]:
    """The worksheet in sections, as the lab's form has them, with checks and progress.

    Raises Refused where the terms do not let this person read it, or a program take it.
    """
    with reading(actor, Permission.REVIEW_READ) as instance:
        row = seen_review(actor, review_id)
        bound(actor, row, on_page=on_page)
        whole = lines_of(row)
        lines, more = _own(actor, row, whole)
        checks = {c.field: c for c in FieldCheck.objects.filter(review=row, org_id=actor.org)}
        asked = _questions(row) if leads(actor) else {}
        comments = _comments(actor, row)
        titles = sections_of(instance.pack) | {OTHER: "Other fields that came"}
        sections = []
        for key, title in titles.items():
            own = [_line(x, checks, asked, comments) for x in lines if x.field.section == key]
            if own:
                done = sum(one["checked"] != "" and not one["earlier"] for one in own)
                sections.append({"id": key, "title": title, "fields": own, "looked_at": done})
        made_on = {key: c.made_on for key, c in checks.items()}
        return {
            "review": row.id,
            "state": row.state,
            "model": row.model,
            "pack": instance.pack.ref,
            "earlier_pack": row.pack if row.pack_digest != instance.pack.digest else "",
            "states": [
                {"number": s.number, "at": stamp(s.at), "fields": len(s.values)}
                for s in states_of(act_of(row))
            ],
            "sections": sections,
            "looked_at": looked_at(lines, made_on),
            "total": len(lines),
            "given": sum(bool(x.value) for x in lines),
            "changed": sum(x.changed_at is not None for x in lines),
            "more": more,
            "others": _others(actor, row, whole),
        }


def _line(
    line: Line,
    checks: Mapping[str, FieldCheck],
    asked: Mapping[str, int],
    comments: Mapping[str, int],
) -> dict[str, Any]:
    field, check = line.field, checks.get(line.field.id)
    return {
        "id": field.id,
        "label": field.label,
        "help": field.help,
        "type": field.type,
        "section": field.section,
        "marking": str(field.marking),
        "status": str(line.status),
        "value": line.value,
        "reason": line.reason,
        "changed_at": stamp(line.changed_at),
        "before": line.before,
        "checked": check.word if check else "",
        "checked_by": check.by if check else "",
        "earlier": check is not None and check.made_on != line.fingerprint,
        "questions": asked.get(field.id, 0),
        "comments": comments.get(field.id, 0),
    }


def _questions(row: Review) -> dict[str, int]:
    count: dict[str, int] = {}
    for key in Question.objects.filter(act_id=row.act_id).values_list("field", flat=True):
        count[key] = count.get(key, 0) + 1
    return count


def _comments(actor: Actor, row: Review) -> dict[str, int]:
    count: dict[str, int] = {}
    for one in comments_of(actor, row)[0]:
        count[one["field"]] = count.get(one["field"], 0) + 1
    return count


def _others(actor: Actor, row: Review, lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    """How far each other office is with what it shares in, for the lead."""
    if not leads(actor):
        return []
    made: dict[str, dict[str, str]] = {}
    for check in FieldCheck.objects.filter(review=row).exclude(org_id=actor.org):
        made.setdefault(check.org_id, {})[check.field] = check.made_on
    with scoped(SYSTEM):
        places = list(row.offices.select_related("org").filter(peer=None).order_by("org__name"))
    return [
        {
            "office": place.org.name,
            "looked_at": looked_at(
                [x for x in lines if x.field.id in place.fields], made.get(place.org_id, {})
            ),
            "total": len(place.fields),
        }
        for place in places
    ]


def field_line(actor: Actor, row: Review, key: str) -> Line:
    """One line that the reader sees. Raises NotFound."""
    found = next((x for x in _own(actor, row, lines_of(row))[0] if x.field.id == key), None)
    if found is None:
        raise NotFound(f"field {key[:60]!r} is not here")
    return found


def check_fields(actor: Actor, review_id: str, looks: Mapping[str, str]) -> int:
    """Keep where the actor's office is with fields: seen, question, or "" for not looked at.

    Returns how many checks changed. A check made again on a later state replaces the one before.
    """
    for look in looks.values():
        if look not in ("", *Look):
            raise BadInput(f"look: {look[:40]!r} is none of {', '.join(Look)}")
    with on_review(actor, review_id, Permission.REVIEW_ADVISE) as (doing, row):
        working(actor, row)
        lines = {x.field.id: x for x in _own(actor, row, lines_of(row))[0]}
        if unknown := sorted(set(looks) - set(lines)):
            raise NotFound(f"field {unknown[0][:60]!r} is not here")
        known = {c.field: c for c in FieldCheck.objects.filter(review=row, org_id=actor.org)}
        changed = {}
        for key, look in looks.items():
            check, now = known.get(key), lines[key].fingerprint
            if (check.word, check.made_on) == (look, now) if check else look == "":
                continue
            check = check or FieldCheck(org_id=actor.org, review=row, field=key)
            check.word, check.made_on = look, now
            check.by, check.at = actor.name[:200], doing.now
            check.save()
            changed[key] = look
        if changed:
            doing.record(Event.ENGAGEMENT_FIELD_CHECKED, row.id, changed, marking=row.head_marking)
        return len(changed)
