"""Comments of a review: portions, of which each reader gets those that are for it.

Another office reads the lead's comments, those of others where the lead shares them, on the fields
that it shares in; what is for the lead alone is not there for it.
"""

from __future__ import annotations

from typing import Any

from vedette.engagement import review as rules
from vedette.kernel.markings import Marking
from vedette.kernel.portions import Source
from vedette.services.acting import Actor
from vedette.services.parties import readable
from vedette.services.review_parties import place_of
from vedette.services.sides import stamp
from vedette.store.models import Organisation, Review, ReviewComment, ReviewOffice
from vedette.store.tenancy import SYSTEM, scoped

SHOWN = 500


def comments_of(
    actor: Actor, row: Review, field: str | None = None
) -> tuple[list[dict[str, Any]], int]:
    """The comments that the reader sees, newest first, and how many others it may know of."""
    place = place_of(actor, row)
    rows = ReviewComment.objects.select_related("review").filter(review=row).order_by("-number")
    rows = rows if field is None else rows.filter(field=field)
    shared = [c for c in rows[:SHOWN] if _shares(actor, row, place, c)]
    seen = [c for c in shared if readable(actor, c.marking)]
    hidden = [Marking.parse(c.marking) for c in shared if c not in seen]
    names = names_of(row)
    return [
        {
            "id": c.id,
            "office": names.get(c.org_id, ""),
            "author": c.author,
            "field": c.field,
            "text": c.text,
            "marking": c.marking,
            "lead_only": c.lead_only,
            "at": stamp(c.at),
        }
        for c in seen
    ], rules.counted(hidden, Marking.parse(actor.clearance))


def written_sources(found: dict[str, Any]) -> list[Source]:
    """What a page of a review or of a field is derived from besides the act: the words shown."""
    said = [("Comment", f"{c['author']}, {c['office']}", c) for c in found["comments"]]
    said += [("View", view["office"], view) for view in found.get("views", ())]
    if proposal := found.get("proposal"):
        said.append(("Proposed conclusion", proposal["by"], proposal))
    return [
        Source(f"{what}, {who}", Marking.parse(each["marking"]), str(each["at"])[:10])
        for what, who, each in said
    ]


def _shares(actor: Actor, row: Review, place: ReviewOffice | None, one: ReviewComment) -> bool:
    """Whether a comment is for the reader's office at all."""
    if place is None or one.org_id == actor.org:
        return True
    if one.lead_only or (one.field and one.field not in place.fields):
        return False
    return one.org_id == row.org_id or place.hears_others


def names_of(row: Review) -> dict[str, str]:
    """The offices of a review by id, the lead's among them."""
    with scoped(SYSTEM):
        ids = [row.org_id, *row.offices.values_list("org_id", flat=True)]
        return dict(Organisation.objects.filter(id__in=ids).values_list("id", "name"))
