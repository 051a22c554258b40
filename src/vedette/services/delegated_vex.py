"""VEX that a delegate hands in for its operators, and what VEX takes away there.

Rules:
- A document speaks of the site that it is handed in for, and without one of the whole
  organisation; each needs a mandate that covers just that.
- Withdrawing takes back only what the delegate's own people handed in.
"""

from __future__ import annotations

from typing import Any

from vedette.clearinghouse.mandates import MandateAct
from vedette.kernel.errors import NotFound
from vedette.kernel.permissions import Permission
from vedette.services import vex
from vedette.services.acting import Actor, reading
from vedette.services.delegates import acting, mandating, names
from vedette.services.parties import clearinghouse_only
from vedette.store.models import Mandate, Suppression, VexDocument


def take_vex(actor: Actor, operator: str, name: str, data: bytes, site: str = "") -> VexDocument:
    """Take a VEX document for an operator, or for one of its sites."""
    clearinghouse_only()
    by = acting(actor, operator, MandateAct.STATE, site.strip())
    return vex.take_vex(by, name, data, site)


def withdraw_vex(actor: Actor, document_id: str) -> VexDocument:
    """Let a document that the delegate's people handed in count no more. Raises NotFound."""
    with reading(actor, Permission.MANDATE_READ):
        own = Mandate.objects.filter(delegate_id=actor.org).values("id")
        row = VexDocument.objects.filter(id=document_id, feed="", mandate__in=own).first()
    if row is None:
        raise NotFound(f"VEX document {document_id[:40]!r} is not here")
    return vex.withdraw_vex(acting(actor, row.org_id, MandateAct.STATE, row.site), document_id)


def lift(actor: Actor, suppression_id: str, lifted: bool = True) -> Suppression:
    """Find an operator's suppressed match again, or honour its statement again."""
    with reading(actor, Permission.MANDATE_READ):
        row = Suppression.objects.filter(id=suppression_id, org_id__in=mandating(actor)).first()
    if row is None:
        raise NotFound(f"suppressed match {suppression_id[:40]!r} is not here")
    return vex.lift(acting(actor, row.org_id, MandateAct.STATE, row.site), suppression_id, lifted)


def vex_documents(actor: Actor) -> list[dict[str, Any]]:
    """The VEX documents of every operator as far as mandates cover them, newest first.

    `own` says whether the delegate's people handed it in.
    """
    clearinghouse_only()
    known = names(actor)
    with reading(actor, Permission.MANDATE_READ):
        mandates = set(Mandate.objects.filter(delegate_id=actor.org).values_list("id", flat=True))
        rows = VexDocument.objects.defer("data").filter(
            org_id__in=mandating(actor), feed="", withdrawn_at=None
        )
        return [
            {
                **vex.describe(row),
                "own": row.mandate in mandates,
                "operator": {"id": row.org_id, "name": known.get(row.org_id, "")},
            }
            for row in rows.order_by("-taken_at", "name")
        ]


def suppressed(actor: Actor) -> list[dict[str, Any]]:
    """The suppressed matches of every operator as far as mandates cover them."""
    clearinghouse_only()
    known = names(actor)
    with reading(actor, Permission.MANDATE_READ):
        rows = Suppression.objects.filter(org_id__in=mandating(actor))
        ordered = rows.order_by("org_id", "inventory", "component", "advisory", "pk")
        return [
            {
                **vex.describe_suppressed(row),
                "operator": {"id": row.org_id, "name": known.get(row.org_id, "")},
            }
            for row in ordered
        ]
