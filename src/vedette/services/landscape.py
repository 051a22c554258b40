"""The landscape for one reader: what was shared, and what they may read of it.

Rules:
- An office sees the assessments that it shared, under the name of the lab that has them; a lab what
  it received, of its own models. Nothing unshared appears, and no name without an assessment.
- An assessment that the reader's marking does not dominate, or that the terms keep from them, is
  left out whole: it is in no row, count or gap.
"""

from __future__ import annotations

from typing import Any

from vedette.bench import landscape as rules
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor, reading
from vedette.services.binding import why_withheld
from vedette.services.here import here
from vedette.services.sides import own_side
from vedette.store.models import Assessment


def landscape(actor: Actor) -> tuple[dict[str, Any], list[str]]:
    """The landscape, and the markings of the assessments it is made of."""
    own_side()
    reach = here().ceiling if actor.system else Marking.parse(actor.clearance)
    with reading(actor, Permission.ASSESSMENT_READ):
        rows = Assessment.objects.select_related("act", "act__peer").exclude(shared_at=None)
        seen = [
            row
            for row in rows.exclude(act=None).order_by("made_at", "id")
            if reach.dominates(Marking.parse(row.marking)) and _readable(actor, row)
        ]
    found = [
        entry
        for row in seen
        for entry in rules.entries(row.document, lab=_lab(row), assessment=row.id)
    ]
    made = rules.landscape(found, today=here().clock.now().date())
    return made, [row.marking for row in seen]


def _readable(actor: Actor, row: Assessment) -> bool:
    return row.act is not None and not why_withheld(actor, row.act, on_page=True)


def _lab(row: Assessment) -> str:
    """Whose model it is: the peer's on an office's instance, on a lab's its own."""
    if here().profile == Profile.LAB or row.act is None:
        return here().name
    return str(row.act.peer.name)
