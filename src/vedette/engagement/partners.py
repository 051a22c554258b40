"""Trusted partners: named by the lab, agreed by both sides, under the pack's criteria.

Rules:
- The order leaves "trusted partner" undefined; the criteria are the pack's, and each partner is
  recorded with those it is named under.
- A partner counts as agreed when both sides have agreed; either may take that back.
- One selection names one partner or many; each is agreed on, declined and taken back by itself.
- The record is an agreement about the partner alone. Whom a lab shares its model with, and when,
  is the lab's own affair, agreed or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from vedette.engagement.table import Actor
from vedette.kernel.errors import BadInput
from vedette.kernel.packs import PolicyPack


@dataclass(frozen=True)
class Partner:
    """A partner as named; `lab_agreed` and `office_agreed` are times in UTC, None for not (yet).

    Ties are (kind in the pack, words), as each side declared them.
    """

    id: str
    name: str
    sector: str
    criteria: tuple[str, ...]
    reason: str = ""
    conflicts: str = ""
    small: bool = False
    lab_ties: tuple[tuple[str, str], ...] = ()
    office_ties: tuple[tuple[str, str], ...] = ()
    lab_agreed: datetime | None = None
    office_agreed: datetime | None = None

    @property
    def agreed(self) -> datetime | None:
        """The moment from which both sides agree, None while they do not."""
        if self.lab_agreed is None or self.office_agreed is None:
            return None
        return max(self.lab_agreed, self.office_agreed)


def check_partner(pack: PolicyPack, partner: Partner) -> None:
    """Raise BadInput, naming the field, where the record is no partner under the pack."""
    for name, limit in (("name", 300), ("sector", 100), ("reason", 4000), ("conflicts", 4000)):
        if len(getattr(partner, name)) > limit:
            raise BadInput(f"partner.{name}: at most {limit} characters")
    if not partner.name.strip():
        raise BadInput("partner.name: missing")
    known = [row["id"] for row in pack.records("partners", "criteria")]
    if not set(known).issuperset(partner.criteria):
        raise BadInput("partner.criteria: unknown", next_step=f"choose among {', '.join(known)}")
    needed = pack.integer("partners", "criteria_needed")
    if len(set(partner.criteria)) < needed:
        raise BadInput(f"partner.criteria: name at least {needed}")
    check_ties(pack, (*partner.lab_ties, *partner.office_ties))


def check_ties(pack: PolicyPack, ties: Iterable[tuple[str, str]]) -> None:
    """Raise BadInput where a declared tie is none of the pack's, or too long."""
    known = [row["id"] for row in pack.records("partners", "ties")]
    for kind, text in ties:
        if kind not in known:
            raise BadInput("partner.ties: unknown", next_step=f"choose among {', '.join(known)}")
        if len(text) > 1_000:
            raise BadInput("partner.ties: at most 1,000 characters each")


def check_partners(pack: PolicyPack, partners: Sequence[Partner]) -> None:
    """Raise BadInput where these are no selection: none, too many, or one of them twice."""
    most = pack.integer("partners", "most")
    if not 1 <= len(partners) <= most:
        raise BadInput(f"partners: a selection names 1 to {most}")
    names = [" ".join(partner.name.casefold().split()) for partner in partners]
    for name in names:
        if names.count(name) > 1:
            raise BadInput(f"partners: {name[:60]!r} is named twice")
    if len({partner.id for partner in partners}) < len(partners):
        raise BadInput("partners: an id stands twice")
    for partner in partners:
        check_partner(pack, partner)


def agree(partner: Partner, actor: Actor, now: datetime) -> Partner:
    """Return the record with one side's agreement; agreeing twice keeps the first time."""
    if actor == Actor.LAB:
        return replace(partner, lab_agreed=partner.lab_agreed or now)
    if actor == Actor.OFFICE:
        return replace(partner, office_agreed=partner.office_agreed or now)
    raise BadInput("partner: only the lab and the office agree on one")


def take_back(partner: Partner, actor: Actor) -> Partner:
    """Return the record without one side's agreement."""
    if actor == Actor.LAB:
        return replace(partner, lab_agreed=None)
    if actor == Actor.OFFICE:
        return replace(partner, office_agreed=None)
    raise BadInput("partner: only the lab and the office take an agreement back")
