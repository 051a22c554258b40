"""Conflicts of interest of a trusted partner: what both sides should know before they agree.

Rules:
- Either side declares ties, each of a kind from the pack, in its own words; both see all of them.
- What the instance itself knows is added: the partner's name is one side's or another lab's, or
  begins with it; its people are named in the terms; its mail domain is one side's.
- A finding here is advice with its reason. It decides nothing, and changes nothing in what the lab
  or the office may do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vedette.engagement.partners import Partner
from vedette.kernel.packs import PolicyPack

_FORMS = """ab ag bv co company corp corporation gmbh inc incorporated limited llc llp ltd nv oy plc
sa sarl the"""
FORMS = frozenset(_FORMS.split())


@dataclass(frozen=True)
class Known:
    """What the instance knows of others: names, addresses of named people, mail domains."""

    lab: str = ""
    office: str = ""
    labs: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Concern:
    """One reason for a second look: its kind in the pack, the words, and whose they are."""

    kind: str
    text: str
    by: str


def words_of(name: str) -> tuple[str, ...]:
    """A name's words without its legal form, for comparison."""
    return tuple(w for w in re.findall(r"\w+", name.casefold()) if w not in FORMS)


def akin(one: str, other: str) -> bool:
    """Tell whether one name is the other, or begins with all of its words."""
    a, b = sorted((words_of(one), words_of(other)), key=len)
    return bool(a) and b[: len(a)] == a


def concerns(
    pack: PolicyPack, partner: Partner, known: Known, addresses: frozenset[str] = frozenset()
) -> tuple[Concern, ...]:
    """Every reason, declared ones first. `addresses`: mail addresses of the partner's people."""
    kinds = {row["id"]: str(row["text"]) for row in pack.records("partners", "ties")}
    found = [
        Concern(kind, text or kinds.get(kind, kind), by)
        for by, ties in (("lab", partner.lab_ties), ("office", partner.office_ties))
        for kind, text in ties
    ]
    found += _by_name(partner, known)
    both = {a.casefold() for a in addresses} & {a.casefold() for a in known.people}
    if both:
        found.append(
            Concern("shares-people", f"{len(both)} of its people are named in the terms.", "rule")
        )
    shared = {_domain(a) for a in addresses} & {d.casefold() for d in known.domains} - {""}
    if shared:
        text = f"Its people write from {', '.join(sorted(shared))}, as one of the two sides does."
        found.append(Concern("shares-people", text, "rule"))
    return tuple(found)


def _by_name(partner: Partner, known: Known) -> list[Concern]:
    found = []
    for side, name in (("the lab", known.lab), ("the office", known.office)):
        if name and akin(partner.name, name):
            text = f"By its name it is {side}, {name}, or belongs to it."
            found.append(Concern("same-party", text, "rule"))
    for name in sorted(known.labs - {known.lab}):
        if akin(partner.name, name):
            text = f"By its name it is {name}, which develops models of its own."
            found.append(Concern("competing-model", text, "rule"))
    return found


def _domain(address: str) -> str:
    return address.rpartition("@")[2].casefold()
