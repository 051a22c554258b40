"""What a delegate says of names for its operators: whether an asset is the product matched with it.

Rules:
- It needs the act *state VEX*: what is another product is matched no more, now and later.
- Under a mandate for the whole organisation it counts at every site, else at the notice's alone.
- The operator sees who said it, and takes it back like its own; a delegate takes back what its own
  people said, and nothing else.
"""

from __future__ import annotations

from typing import Any

from vedette.clearinghouse.mandates import MandateAct
from vedette.kernel.errors import NotFound, Refused
from vedette.kernel.permissions import Permission
from vedette.services import delegates, product_names
from vedette.services.acting import Actor, reading
from vedette.services.parties import clearinghouse_only
from vedette.store.models import Mandate, SaidName


def say(actor: Actor, notice_id: str, ours: str, theirs: str, same: bool) -> SaidName:
    """Say it of a notice of an operator. Raises BadInput, NotFound, Refused."""
    row = delegates.find(actor, notice_id)
    try:
        by, site = delegates.acting(actor, row.org_id, MandateAct.STATE), ""
    except (NotFound, Refused):
        by, site = delegates.acting(actor, row.org_id, MandateAct.STATE, row.site), row.site
    return product_names.say(by, notice_id, ours, theirs, same, site=site)


def forget(actor: Actor, said_id: str) -> None:
    """Take back what the delegate's own people said. Raises NotFound."""
    clearinghouse_only()
    with reading(actor, Permission.MANDATE_READ):
        row = SaidName.objects.filter(id=said_id, mandate__in=_own(actor)).first()
    if row is None:
        raise NotFound(f"{said_id[:40]!r} was not said here")
    by = delegates.acting(actor, row.org_id, MandateAct.STATE, row.site)
    product_names.forget(by, said_id)


def listed(actor: Actor) -> list[dict[str, Any]]:
    """What was said for each operator as far as mandates cover it; `own` by the delegate's people.

    Adds {"own", "operator": {"id", "name"}} to what `product_names.describe` gives.
    """
    clearinghouse_only()
    known = delegates.names(actor)
    with reading(actor, Permission.MANDATE_READ):
        mandates = set(_own(actor))
        rows = SaidName.objects.filter(org_id__in=delegates.mandating(actor))
        return [
            {
                **product_names.describe(row),
                "own": row.mandate in mandates,
                "operator": {"id": row.org_id, "name": known.get(row.org_id, "")},
            }
            for row in rows.order_by("org_id", "ours", "theirs", "site")
        ]


def _own(actor: Actor) -> Any:
    return Mandate.objects.filter(delegate_id=actor.org).values_list("id", flat=True)
