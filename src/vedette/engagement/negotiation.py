"""Versions of an act's terms: proposed by either side, signed by both, replaced by later ones.

Rules:
- A proposal is signed by the side that makes it; the other signs the same bytes, answers with a
  proposal of its own, or leaves it. Nothing is owed, and no clock runs on it.
- Of the versions that both sides signed, the one with the highest number is in force; where both
  sides made one of the same number, the lab's. So two sides that hold the same signatures hold
  the same terms in force, whatever crossed on the way and in whatever order it arrived.
- A proposal is overtaken by a newer one of the same side, and by terms in force that come after
  it. A signature that crossed with what overtook it is kept, and counts as any other.
- The next number is one above the highest that this side knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from vedette.engagement.table import Actor, Row, Table
from vedette.engagement.terms import VERSION_LIMIT
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission


class VersionState(StrEnum):
    PROPOSED = "proposed"
    AGREED = "agreed"
    OVERTAKEN = "overtaken"
    REPLACED = "replaced"


S, E = VersionState, Event
_lab = partial(Row, Actor.LAB, Permission.TERMS_SIGN)
_office = partial(Row, Actor.OFFICE, Permission.TERMS_SIGN)
_clock = partial(Row, Actor.CLOCK, None)  # follows by itself from what was signed

VERSIONS = Table(
    "version",
    S.PROPOSED,
    (
        _lab("sign", S.PROPOSED, S.AGREED, E.ENGAGEMENT_TERMS_SIGNED, "Sign"),
        _office("sign", S.PROPOSED, S.AGREED, E.ENGAGEMENT_TERMS_SIGNED, "Sign"),
        _clock("overtake", S.PROPOSED, S.OVERTAKEN, E.ENGAGEMENT_TERMS_OVERTAKEN, "Overtaken"),
        _clock("cross", S.OVERTAKEN, S.AGREED, E.ENGAGEMENT_TERMS_SIGNED, "Signed after all"),
        _clock("pass", S.OVERTAKEN, S.REPLACED, E.ENGAGEMENT_TERMS_SIGNED, "Signed, but later"),
        _clock("replace", S.AGREED, S.REPLACED, E.ENGAGEMENT_TERMS_REPLACED, "Replaced"),
    ),
)


@dataclass(frozen=True)
class Version:
    """What settles a version: its number, who made it, and which sides signed it."""

    digest: str
    number: int
    by: Actor
    signed: frozenset[Actor]

    @property
    def both(self) -> bool:
        return self.signed >= {Actor.LAB, Actor.OFFICE}

    @property
    def order(self) -> tuple[int, bool, str]:
        return self.number, self.by == Actor.LAB, self.digest


def in_force(versions: Iterable[Version]) -> Version | None:
    """Return the version that binds both sides, None while there is none."""
    return max((v for v in versions if v.both), key=lambda v: v.order, default=None)


def standings(versions: Iterable[Version]) -> Mapping[str, VersionState]:
    """Return the state of each version by its digest; nothing but the versions decides it."""
    known = list(versions)
    force = in_force(known)
    return {version.digest: _standing(version, known, force) for version in known}


def _standing(version: Version, known: list[Version], force: Version | None) -> VersionState:
    if version.both:
        return S.AGREED if version == force else S.REPLACED
    newer = any(v.by == version.by and v.order > version.order for v in known)
    past = force is not None and force.number >= version.number
    return S.OVERTAKEN if newer or past else S.PROPOSED


def open_for(side: Actor, versions: Iterable[Version]) -> tuple[Version, ...]:
    """Return what `side` can sign now, newest first."""
    known = list(versions)
    states = standings(known)
    mine = [v for v in known if states[v.digest] == S.PROPOSED and side not in v.signed]
    return tuple(sorted(mine, key=lambda v: v.order, reverse=True))


def to_sign(side: Actor, versions: Iterable[Version], digest: str = "") -> Version:
    """Return the version that `side` signs: the newest open one, or that of `digest`.

    Raises Refused, saying which version stands, where it is no longer to be signed.
    """
    known = list(versions)
    choice = open_for(side, known)
    found = next((v for v in known if v.digest == digest), None) if digest else None
    if digest and found is None:
        raise BadInput(f"version: {digest[:20]!r} is no version of these terms")
    if found is None and choice:
        return choice[0]
    if found is not None and found in choice:
        return found
    kept, newest = "the terms as they are", max(known, key=lambda v: v.order, default=None)
    if newest is None:
        raise Refused("the lab has proposed no terms yet", kept="the act as it was")
    if found is not None and side in found.signed:
        raise Refused(f"version {found.number} is signed by this side already", kept=kept)
    what = f"version {found.number} is no longer open" if found else "no version waits for you"
    raise Refused(what, kept=kept, next_step=f"read version {newest.number}, or propose another")


def next_number(versions: Iterable[Version]) -> int:
    """Return the number of the next version. Raises Refused at the bound."""
    number = max((v.number for v in versions), default=0) + 1
    if number > VERSION_LIMIT:
        raise Refused(
            f"these terms have {VERSION_LIMIT} versions already",
            kept="the terms as they are",
            next_step="sign one of them, or offer the act again",
        )
    return number
