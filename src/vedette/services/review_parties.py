"""Who stands where in a review, and how every act on one begins.

The lead office is the host of its instance. Another office is an organisation there, or a peer
with an instance of its own, for which one stands here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from vedette.engagement.review import SHARING, Party, Row
from vedette.kernel import markings
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.machine import Machine
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.readiness.dossier import Field, fields_of
from vedette.services.acting import Actor, Doing, act
from vedette.services.binding import require_export, require_reading, why_withheld
from vedette.services.here import here
from vedette.services.parties import readable, words
from vedette.store.models import Act, Review, ReviewComment, ReviewOffice, ReviewView
from vedette.store.tenancy import SYSTEM, scoped


def office_only() -> None:
    """Raise NotFound on an instance that is no office."""
    if here().profile != Profile.OFFICE:
        raise NotFound(f"a {here().profile} reviews nothing")


def leads(actor: Actor) -> bool:
    """Whether `actor` is of the lead office."""
    return actor.host or actor.system


def seen_review(actor: Actor, review_id: str) -> Review:
    """A review that `actor` may know of, under its scope. Raises NotFound."""
    office_only()
    row: Review | None = Review.objects.filter(id=review_id).first()
    if row is None or not readable(actor, row.head_marking):
        raise NotFound(f"review {review_id[:40]!r} is not here")
    return row


def place_of(actor: Actor, row: Review) -> ReviewOffice | None:
    """The place of the actor's office in the review; None for the lead."""
    if leads(actor):
        return None
    place: ReviewOffice | None = ReviewOffice.objects.filter(review=row, org_id=actor.org).first()
    return place


def act_of(row: Review) -> Act:
    """The act under review, which is the lead's alone: what is shown of it is chosen."""
    with scoped(SYSTEM):
        found: Act = Act.objects.select_related("peer").get(id=row.act_id)
        return found


def bound(actor: Actor, row: Review, *, on_page: bool = True) -> None:
    """Raise Refused unless the terms in force of the act let this person read what it brought.

    They bind the people of every office alike; a program (not `on_page`) takes a copy.
    """
    require_reading(actor, act_of(row))
    if not on_page:
        require_export(actor, act_of(row))


def withheld(actor: Actor, row: Review, *, on_page: bool = True) -> str:
    """Why what the review holds is not shown to this person; "" where it is."""
    return why_withheld(actor, act_of(row), on_page=on_page)


@contextmanager
def on_review(
    actor: Actor, review_id: str, permission: Permission = Permission.REVIEW_LEAD
) -> Iterator[tuple[Doing, Review]]:
    """An act on one review, locked; by default one of the lead office."""
    with act(actor, permission) as doing:
        seen_review(actor, review_id)
        if permission == Permission.REVIEW_LEAD and not leads(actor):
            raise Forbidden("the lead office does this", kept="the review as it was")
        with scoped(SYSTEM):  # an office sees a review, but only its owner may lock the row
            row = Review.objects.select_for_update(of=("self",)).get(id=review_id)
        yield doing, row


def step(machine: Machine[Row], state: str, trigger: str, actor: Actor, *parties: Party) -> Row:
    """The row that `actor` takes as one of `parties`; the first where none has it."""
    taken = (p for p in parties if trigger in {m.trigger for m in machine.moves(state, p)})
    row = machine.step(state, trigger, next(taken, parties[0]))
    actor.require(row.permission)
    return row


def working(actor: Actor, row: Review) -> None:
    """Raise unless the review is open and the actor's office may work in it."""
    if row.state != "open":
        raise Refused(
            f"the review is {row.state}", kept="the review", next_step="the lead opens it again"
        )
    place = place_of(actor, row)
    if place is not None and place.state not in SHARING:
        raise Refused("this office has left the review", kept="what it said")


def marked(actor: Actor, text: str, floor: Iterable[Marking] = ()) -> str:
    """The marking of a portion that `actor` writes: as chosen, at least `floor`.

    Raises Refused above the instance's ceiling, BadInput above the writer's own reach.
    """
    chosen = markings.join([Marking.parse(text), *floor])
    if not here().ceiling.dominates(chosen):
        raise Refused(
            "marking: above the ceiling of this instance",
            kept="nothing of it",
            next_step="write it on an instance with a higher ceiling",
        )
    if not readable(actor, str(chosen)):
        raise BadInput("marking: above what you may read yourself")
    return str(chosen)


def field_of(key: str) -> Field | None:
    """A field of the pack's dossier by its id."""
    return next((field for field in fields_of(here().pack) if field.id == key), None)


def field_marking(row: Review, key: str) -> Marking:
    """A field's marking; of one that the pack does not know the act's."""
    found = field_of(key)
    return found.marking if found else Marking.parse(act_of(row).marking)


def next_number(table: type[ReviewComment | ReviewView], row: Review) -> int:
    """The place of the next comment or view in a locked review, whatever its writer sees."""
    with scoped(SYSTEM):
        return int(table.objects.filter(review=row).count()) + 1


def refresh_marking(row: Review) -> None:
    """Compute the review's marking from the act's and its portions'."""
    with scoped(SYSTEM):
        # its own, too: the marking of what was destroyed stays
        texts: list[Any] = [row.head_marking, row.marking, row.act.marking]
        texts += [proposal["marking"] for proposal in row.proposals]
        for table in (ReviewComment, ReviewView):
            texts += table.objects.filter(review=row).values_list("marking", flat=True).distinct()
        row.marking = str(markings.join(Marking.parse(text) for text in texts))
        row.save(update_fields=["marking"])


def standing_digest(row: Review) -> str:
    """The digest of the text that the lead proposes now, "" where there is none."""
    return str(row.proposals[-1]["digest"]) if row.proposals else ""


def keep_view(
    doing: Doing,
    row: Review,
    org: str,
    stand: str,
    reasons: str,
    marking: str,
    on: str | None = None,
) -> ReviewView:
    """Keep one office's view; `on` is the digest of the text it is about, the standing one's."""
    made = ReviewView(
        id=new_id("view"),
        org_id=org,
        review=row,
        number=next_number(ReviewView, row),
        stand=stand,
        reasons=words(reasons, "reasons", 20_000, empty=True),
        marking=marking,
        made_on=standing_digest(row) if on is None else on,
        by=doing.actor.name[:200],
        at=doing.now,
    )
    made.save(force_insert=True)
    refresh_marking(row)
    doing.record(
        Event.ENGAGEMENT_OFFICE_VIEW_GIVEN,
        row.id,
        {"office": org, "stand": stand, "reasons": made.reasons},
        marking=marking,
    )
    return made
