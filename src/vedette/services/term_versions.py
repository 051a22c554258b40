"""The versions of an act's terms on this instance: which is in force, and who stands on its list.

Rules:
- What is in force follows from the signatures alone (`engagement.negotiation`), on both sides
  alike.
- Whoever was taken off a version's list is off it, whatever the signed words say.
- The first version that both sides signed agrees the window; a later one replaces the terms for
  the calls from then on, and never the window's hours.
- With a new list the sessions of those who are no longer on it, or of purposes no longer in it,
  end at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from vedette.engagement import negotiation as rules
from vedette.engagement.negotiation import VERSIONS, Version, VersionState
from vedette.engagement.table import Actor as Side
from vedette.engagement.table import Row
from vedette.engagement.terms import Terms as Document
from vedette.kernel.events import Event
from vedette.kernel.keys import PublicKeys
from vedette.services import metering, windows
from vedette.services.acting import Doing
from vedette.services.metering import OPEN, REQUESTED
from vedette.store.models import Act, Peer, Terms

OFF_THE_LIST = "the terms no longer name this person"
OTHER_PURPOSE = "the terms no longer name this purpose"


def keys_of(peer: Peer) -> PublicKeys:
    return PublicKeys(peer.ed25519, peer.age)


def versions_of(row: Act) -> list[Terms]:
    """Every version of an act's terms, in the order of their numbers."""
    return list(Terms.objects.filter(act=row).order_by("number", "proposed_by", "pk"))


def rule_of(made: Terms) -> Version:
    """A version as the rules see it."""
    sides = {Side.LAB: made.lab_signature, Side.OFFICE: made.office_signature}
    signed = frozenset(side for side, signature in sides.items() if signature)
    return Version(made.digest, made.number, Side(made.proposed_by), signed)


def in_force(row: Act) -> Terms | None:
    """The version that binds both sides, None where none does yet."""
    made = versions_of(row)
    found = rules.in_force(rule_of(version) for version in made)
    return next((m for m in made if found and m.digest == found.digest), None)


def struck(row: Act, number: int) -> frozenset[str]:
    """Who is off the list of version `number`, though it names them."""
    return frozenset(row.strikes.filter(through__gte=number).values_list("person", flat=True))


def on_the_list(row: Act, made: Terms) -> Document:
    """A version's terms without those who were taken off its list."""
    terms, gone = Document.from_json(made.document), struck(row, made.number)
    return replace(terms, people=tuple(p for p in terms.people if p.id not in gone))


def agreed_terms(row: Act) -> Document | None:
    """The terms in force of an act, without those taken off their list; None where none are."""
    made = in_force(row)
    return on_the_list(row, made) if made else None


def settle(doing: Doing, row: Act, message_id: str = "") -> None:
    """Bring every version's state up to the signatures, and what follows from what is in force."""
    made = versions_of(row)
    states = rules.standings(rule_of(version) for version in made)
    before = {version.digest: version.state for version in made}
    for version in made:
        _take(doing, row, version, states[version.digest], message_id)
    if any(states[digest] != state == VersionState.AGREED for digest, state in before.items()):
        end_outsiders(doing, row)
    if VersionState.AGREED in states.values() and not row.window_state:
        windows.agree(doing, row, message_id)


def _take(doing: Doing, row: Act, made: Terms, state: VersionState, message_id: str) -> None:
    for move in _path(made.state, state):
        made.state = move.target
        if move.event != Event.ENGAGEMENT_TERMS_SIGNED:
            doing.record(
                move.event,
                row.id,
                {"digest": made.digest, "version": made.number},
                marking=row.marking,
                message_id=message_id,
            )
    if made.agreed_at is None and made.lab_signature and made.office_signature:
        made.agreed_at = doing.now
    made.save()


def _path(state: str, target: VersionState) -> Iterable[Row]:
    """The rows of the table that lead from a state to another; an own signature is the first."""
    if state == target:
        return ()
    straight = [row for row in VERSIONS.rows if (row.source, row.target) == (state, target)]
    if straight:
        return straight[:1]
    through = [row for row in VERSIONS.rows if row.source == state]
    for first in through:
        for second in VERSIONS.rows:
            if (second.source, second.target) == (first.target, target):
                return (first, second)
    raise AssertionError(f"no move leads from {state} to {target}")


def end_outsiders(doing: Doing, row: Act) -> None:
    """End the sessions of whoever and whatever the terms in force no longer name."""
    terms = agreed_terms(row)
    if terms is None:
        return
    for session in row.sessions.filter(state__in=(REQUESTED, OPEN)).order_by("requested_at", "id"):
        if not terms.names(session.person):
            metering.end(doing, session, OFF_THE_LIST)
        elif session.purpose not in terms.purposes:
            metering.end(doing, session, OTHER_PURPOSE)
