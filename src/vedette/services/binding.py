"""What the terms in force bind: who may read, what for, up to which marking, and in what form.

Rules:
- Terms bind everybody who signs in to the office's instance, of whichever office: the named ones
  alone read what a window brought, after they accepted the version in force. A lab's own people
  read what is theirs.
- The instance itself (jobs, arriving messages) and an act without terms in force are not bound.
- Nothing above the marking of the terms is read under them, and nothing leaves the pages where
  they say that it does not.

Use `require_reading(actor, row)` before showing what an act's terms bind, `require_export` before
handing it out as a file, and `Binding.watermark` when it is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

from vedette.kernel.errors import Refused
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Profile
from vedette.services.acting import Actor
from vedette.services.here import here
from vedette.services.packs import pack_of
from vedette.services.term_versions import in_force, on_the_list
from vedette.store.models import Act, Person, TermsAcceptance
from vedette.store.tenancy import SYSTEM, scoped

KEPT = "what it is about, as it was"


@dataclass(frozen=True)
class Binding:
    """What the terms in force of one act bind its reader to."""

    people: tuple[str, ...]
    purposes: tuple[str, ...]
    marking: Marking
    export: bool
    watermark: bool
    version: int
    digest: str
    pack_digest: str


def binding_of(row: Act) -> Binding | None:
    """What an act's terms in force bind, None while no version is signed by both sides."""
    with scoped(SYSTEM):  # they bind a reader of another office, who sees neither act nor terms
        made = in_force(row)
        if made is None:
            return None
        terms = on_the_list(row, made)
    return Binding(
        people=tuple(person.id for person in terms.people),
        purposes=terms.purposes,
        marking=Marking.parse(terms.marking),
        export=terms.export,
        watermark=terms.watermark,
        version=made.number,
        digest=made.digest,
        pack_digest=terms.pack_digest,
    )


def address_of(actor: Actor) -> str:
    """The address under which terms name this person, "" for who is none."""
    return str(Person.objects.get(pk=actor.person).email) if actor.person is not None else ""


def is_bound(actor: Actor) -> bool:
    """Whether terms bind what this actor reads here: people, on an office's instance."""
    return here().profile == Profile.OFFICE and not actor.system and actor.person is not None


def may_read(actor: Actor, row: Act, marking: str = "") -> bool:
    """Whether `actor` may read now what this act's terms bind, marked as given."""
    try:
        require_reading(actor, row, marking)
    except Refused:
        return False
    return True


def require_reading(actor: Actor, row: Act, marking: str = "") -> Binding | None:
    """Return what binds the reader. Raises Refused, with the next step, where they may not read."""
    found = binding_of(row)
    if found is None or not is_bound(actor):
        return found
    person = address_of(actor)
    if person not in found.people:
        raise Refused(
            f"version {found.version} of the terms does not name you",
            kept=KEPT,
            next_step="ask whoever signs the terms for your office to propose a version with you",
        )
    if not has_accepted(row, person, found.digest):
        raise Refused(
            f"you have not accepted version {found.version} of the terms yet",
            kept=KEPT,
            next_step=f"read and accept it at {accepting_page(actor, row)}",
        )
    if marking and not found.marking.dominates(Marking.parse(marking)):
        raise Refused(
            f"this is marked {marking}, the terms go up to {found.marking}",
            kept=KEPT,
            next_step="propose a version of the terms with a higher marking",
        )
    return found


def accepting_page(actor: Actor, row: Act) -> str:
    """Where a person accepts the terms: at the act, or for another office at the review."""
    if actor.host:
        return f"/acts/{row.id}/terms/accept/"
    review = row.reviews.first()
    return f"/reviews/{review.id}/terms/" if review else "the lead office"


def why_withheld(actor: Actor, row: Act, marking: str = "", *, on_page: bool) -> str:
    """Why a part of an act is not shown to `actor`, on a page or to a program; "" where it is."""
    try:
        require_reading(actor, row, marking)
        if not on_page:
            require_export(actor, row)
    except Refused as error:
        return f"{error.what}; {error.next_step}"
    return ""


def has_accepted(row: Act, person: str, digest: str) -> bool:
    """Whether a person accepted exactly this version."""
    with scoped(SYSTEM):
        return TermsAcceptance.objects.filter(act=row, person=person, digest=digest).exists()


def require_export(actor: Actor, row: Act) -> None:
    """Raise Refused where the terms keep what they bind on the office's pages, or Refused above."""
    found = require_reading(actor, row)
    if found is None or found.export or here().profile != Profile.OFFICE or actor.system:
        return
    clause = pack_of(found.pack_digest).text("terms", "access", "export_clause")
    raise Refused(
        f"the terms say that this is read on these pages alone (version {found.version}, clause"
        f" {clause}: no export)",
        kept=KEPT,
        next_step=f"read it in the portal, or propose terms with export at /acts/{row.id}/terms/",
    )
