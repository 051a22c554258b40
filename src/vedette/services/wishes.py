"""What a product's maker wishes of whoever scans it: hours without scans for fragile systems."""

from __future__ import annotations

from datetime import datetime

from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission
from vedette.services import scan_answers
from vedette.services.acting import Actor, act
from vedette.services.parties import clearinghouse_only, words
from vedette.services.scans import columns_of, target_of
from vedette.store.models import ScanWish


def wish(
    actor: Actor,
    kind: str,
    *,
    product: str = "",
    vendor: str = "",
    package: str = "",
    text: str = "",
    contact: str = "",
    starts: datetime | None = None,
    ends: datetime | None = None,
) -> ScanWish:
    """Tell whoever registers a scan of one's product what one wishes; a wish binds nobody."""
    clearinghouse_only()
    actor.require(Permission.SCAN_WISH)
    target = target_of({"product": product, "vendor": vendor, "package": package})
    with act(actor, Permission.SCAN_WISH) as doing:
        kinds = [row["id"] for row in doing.here.pack.records("scans", "wishes")]
        if kind not in kinds:
            raise BadInput(f"kind: {kind[:40]!r} is none of {', '.join(kinds)}")
        if starts and ends and ends <= starts:
            raise BadInput("ends: it is not after the start")
        row = ScanWish(
            org_id=actor.org,
            kind=kind,
            **columns_of(target),
            text=words(text, "text", 4_000, empty=True),
            contact=words(contact, "contact", 300, empty=True),
            starts_at=starts,
            ends_at=ends,
            made_by=actor.name[:200],
            made_at=doing.now,
        )
        row.save(force_insert=True)
        doing.record(Event.SCAN_WISH_MADE, row.id, {"kind": kind, "product": row.product_key})
        scan_answers.tell_all(doing, row)
        return row


def withdraw_wish(actor: Actor, wish_id: str) -> ScanWish:
    """Take a wish back; doing so twice changes nothing."""
    clearinghouse_only()
    with act(actor, Permission.SCAN_WISH) as doing:
        row = ScanWish.objects.select_for_update(of=("self",)).filter(id=wish_id).first()
        if row is None:
            raise NotFound(f"wish {wish_id[:40]!r} is not here")
        if row.withdrawn_at is None:
            row.withdrawn_at = doing.now
            row.save(update_fields=["withdrawn_at"])
            doing.record(Event.SCAN_WISH_WITHDRAWN, row.id, {})
            scan_answers.tell_all(doing, row)
        return row
