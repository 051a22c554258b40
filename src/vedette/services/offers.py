"""What an offer says: checked before it goes out and after it came in, by the same rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from vedette.engagement.acts import ActKind
from vedette.engagement.window import check_window
from vedette.exchange.messages import PURPOSES
from vedette.kernel.classification import Rules
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput
from vedette.kernel.packs import PolicyPack
from vedette.readiness.dossier import Extract, extract
from vedette.services.acting import Doing
from vedette.services.sides import stamp
from vedette.store.models import Act, Dossier, Plan


def checked_kind(kind: str) -> str:
    """One of the three acts. Raises BadInput."""
    if kind not in tuple(ActKind):
        raise BadInput(f"kind: {kind[:40]!r} is none of {', '.join(ActKind)}")
    return kind


def checked_model(model: str) -> str:
    """The name of a model. Raises BadInput."""
    if not model.strip() or len(model) > 200:
        raise BadInput("model: 1 to 200 characters expected")
    return model.strip()


def answer_date(doing: Doing, given: datetime | None) -> datetime:
    """When an offer lapses: as given, else after the pack's number of days."""
    days = doing.here.pack.integer("engagement", "answer_days")
    answer_by = given or doing.now + timedelta(days=days)
    if answer_by <= doing.now:
        raise BadInput("answer_by: it has passed", next_step="give a later time")
    return answer_by


def take_window(
    doing: Doing,
    row: Act,
    basis: str,
    opens: datetime | None,
    closes: datetime | None,
    purpose: str,
) -> None:
    """Take basis, hours and purpose of an access window into `row`. Raises BadInput."""
    if row.kind != ActKind.ACCESS_WINDOW:
        if opens or closes or purpose or basis:
            raise BadInput("opens: hours, basis and purpose belong to an access window alone")
        return
    if opens is None or closes is None:
        raise BadInput("opens: an access window names the hours at which it opens and closes")
    if purpose and purpose not in PURPOSES:
        raise BadInput(f"purpose: {purpose[:40]!r} is none of {', '.join(PURPOSES)}")
    pack = doing.here.pack
    plan = Plan.objects.filter(model=row.model).first()
    window = check_window(
        pack,
        basis or pack.text("engagement", "default_basis"),
        opens,
        closes,
        doing.now,
        partner_release=plan.partner_release if plan else None,
    )
    row.basis, row.opens, row.closes, row.purpose = window.basis, opens, closes, purpose
    row.answer_by = min(row.answer_by or closes, closes)


def dossier_part(doing: Doing, model: str, chosen: Iterable[str]) -> Extract:
    """The chosen fields of the dossier, with the marking computed from them."""
    fields = tuple(chosen)
    row = Dossier.objects.filter(model=model).first()
    return extract(doing.here.pack, row.values if row else {}, fields)


def checked_instruction(pack: PolicyPack, text: str) -> str:
    """A declassification instruction as the pack has it. Raises BadInput."""
    said = " ".join(text.split())
    allowed = Rules.of(pack)
    if said and not allowed.allows(said):
        known = ", ".join([*allowed.events, *allowed.longest])
        raise BadInput(f"declassify: {said[:60]!r} is no day (YYYYMMDD) and none of {known}")
    return said


def offer_body(row: Act) -> dict[str, Any]:
    """The offer as it crosses."""
    return {
        "act": row.id,
        "kind": row.kind,
        "model": row.model,
        "basis": row.basis or None,
        "purpose": row.purpose or None,
        "opens": stamp(row.opens),
        "closes": stamp(row.closes),
        "dossier": row.dossier or None,
        "note": row.note or None,
        "answer_by": stamp(row.answer_by),
        "declassify": row.declassify or None,
    }


def time_in(body: Mapping[str, Any], field: str) -> datetime | None:
    """A time of a message's body, None where the field is absent."""
    return parse_time(body[field], field=f"body.{field}") if field in body else None
