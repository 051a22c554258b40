"""Published advisories, for everybody: what is public, out already and TLP:CLEAR, nothing else."""

from __future__ import annotations

from django.db.models import Q

from vedette.kernel.errors import NotFound
from vedette.kernel.markings import CLEAR, Marking
from vedette.services.here import here
from vedette.store.models import Advisory
from vedette.store.tenancy import SYSTEM, scoped

MOST = 10_000


def public_advisories(text: str = "", limit: int = MOST) -> list[Advisory]:
    """Public advisories without their documents, newest first."""
    with scoped(SYSTEM):
        rows = Advisory.objects.filter(public=True, published_at__lte=here().clock.now())
        if text:
            rows = rows.filter(
                Q(title__icontains=text)
                | Q(tracking_id__icontains=text)
                | Q(content__icontains=text)
            )
        shown = rows.defer("content", "csaf", "osv").order_by("-published_at", "pk")[:limit]
        return [row for row in shown if CLEAR.dominates(Marking.parse(row.marking))]


def public_advisory(tracking_id: str) -> Advisory:
    """One public advisory with its documents. Raises NotFound."""
    with scoped(SYSTEM):
        rows = Advisory.objects.filter(public=True, published_at__lte=here().clock.now())
        row: Advisory | None = rows.filter(tracking_id=tracking_id).first()
    if row is None or not CLEAR.dominates(Marking.parse(row.marking)):
        raise NotFound(f"advisory {tracking_id[:60]!r} is not public here")
    return row
