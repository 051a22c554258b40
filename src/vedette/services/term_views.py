"""What people see of terms: the version in force, every other, redlines, and the clause library."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vedette.engagement import negotiation, redline
from vedette.engagement import terms as rules
from vedette.engagement.signed_terms import signed_file
from vedette.engagement.table import Actor as Side
from vedette.engagement.terms import Terms as Document
from vedette.kernel.errors import NotFound
from vedette.kernel.packs import plain
from vedette.kernel.permissions import Permission
from vedette.services.acting import Actor, reading
from vedette.services.binding import address_of, binding_of, has_accepted, is_bound
from vedette.services.here import here
from vedette.services.packs import pack_of
from vedette.services.review_parties import act_of, seen_review
from vedette.services.sides import own_side, stamp
from vedette.services.term_versions import in_force, keys_of, rule_of, struck, versions_of
from vedette.store.models import Act, Terms
from vedette.store.tenancy import SYSTEM, scoped


def terms_view(actor: Actor, row: Act) -> dict[str, Any] | None:
    """An act's terms for pages and the API: the version in force, else the newest.

    `versions` has a line for each version, newest first; `open` the digest of the one that waits
    for this side's signature, "" where none does; `struck` who is off the list of the one shown;
    `waits_for_you` the number of the version that the reader is to accept, None for none.
    """
    known = versions_of(row)
    if not known:
        return None
    made = in_force(row) or max(known, key=lambda version: rule_of(version).order)
    waiting = negotiation.open_for(own_side(), map(rule_of, known))
    accepted = row.acceptances.order_by("accepted_at", "pk")
    return {
        **made.document,
        "clauses": _clauses(made),
        "digest": made.digest,
        "lab_signed_by": made.lab_signed_by,
        "office_signed_by": made.office_signed_by,
        "agreed_at": stamp(made.agreed_at),
        "state": made.state,
        "proposed_by": made.proposed_by,
        "signatures": {"lab": made.lab_signature, "office": made.office_signature},
        "open": waiting[0].digest if waiting else "",
        "versions": [_line(version) for version in reversed(known)],
        "waits_for_you": waits_for(actor, row),
        "struck": sorted(struck(row, made.number)),
        "accepted": [
            {"person": one.person, "version": one.number, "at": stamp(one.accepted_at)}
            for one in accepted
        ],
    }


def _clauses(made: Terms) -> list[dict[str, Any]]:
    found, pack = [], pack_of(made.document["pack_digest"])
    for clause in Document.from_json(made.document).clauses:
        title, text = rules.clause_text(pack, clause)
        found.append(
            {
                "id": clause.id,
                "version": clause.version,
                "title": title,
                "text": clause.text or text,
                "changed": bool(clause.text),
            }
        )
    return found


def _line(made: Terms) -> dict[str, Any]:
    return {
        "version": made.number,
        "digest": made.digest,
        "state": made.state,
        "proposed_by": made.proposed_by,
        "note": made.note,
        "base": made.base,
        "lab_signed_by": made.lab_signed_by,
        "office_signed_by": made.office_signed_by,
        "proposed_at": stamp(made.proposed_at),
        "agreed_at": stamp(made.agreed_at),
    }


def version_view(actor: Actor, act_id: str, digest: str) -> dict[str, Any]:
    """One version: its document and clauses, and what it changes.

    `redlines` is against the version that it departs from, `library` against the library's words;
    each clause has its `pieces` as `{"kind", "text"}` with kind same, gone or new. `changes` are
    the other points. `base` is None where the version departs from none that is here.
    """
    with reading(actor, Permission.ENGAGEMENT_READ):
        row = Act.objects.select_related("peer").filter(id=act_id).first()
        made = Terms.objects.filter(act_id=act_id, digest=digest).first()
        if row is None or made is None:
            raise NotFound(f"version {digest[:20]!r} of these terms is not here")
        terms, pack = Document.from_json(made.document), pack_of(made.document["pack_digest"])
        known = [rule_of(version) for version in versions_of(row)]
        before = Terms.objects.filter(act=row, digest=made.base).first() if made.base else None
        old = Document.from_json(before.document) if before else None
        same_pack = old is not None and old.pack_digest == terms.pack_digest
        return {
            **_line(made),
            "act": row.id,
            "model": row.model,
            "marking": row.marking,
            "terms": made.document,
            "clauses": _clauses(made),
            "base_version": before.number if before else None,
            "changes": [vars(change) for change in redline.changes(old, terms)] if old else [],
            "redlines": _shown(redline.between(pack, old, terms)) if old and same_pack else [],
            "library": _shown(redline.from_library(pack, terms)),
            "open": made.digest in {v.digest for v in negotiation.open_for(own_side(), known)},
            "signatures": {"lab": made.lab_signature, "office": made.office_signature},
        }


def _shown(found: Iterable[redline.Redline]) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "title": one.title,
            "pieces": [{"kind": piece.kind, "text": piece.text} for piece in one.pieces],
        }
        for one in found
    ]


def signed_version(actor: Actor, act_id: str, digest: str) -> dict[str, Any]:
    """One version as a file of its own, with both sides' keys and detached signatures."""
    with reading(actor, Permission.ENGAGEMENT_READ) as instance:
        row = Act.objects.select_related("peer").filter(id=act_id).first()
        made = Terms.objects.filter(act_id=act_id, digest=digest).first()
        if row is None or made is None:
            raise NotFound(f"version {digest[:20]!r} of these terms is not here")
        own, other = instance.keys.public, keys_of(row.peer)
        lab, office = (own, other) if own_side() == Side.LAB else (other, own)
        return signed_file(
            Document.from_json(made.document),
            {"lab": lab, "office": office},
            {"lab": made.lab_signature, "office": made.office_signature},
            {"lab": made.lab_signed_by, "office": made.office_signed_by},
        )


def library(actor: Actor) -> list[dict[str, Any]]:
    """Every clause in every version that this instance knows, and the terms that use it.

    The pack in force comes first, then the packs of earlier terms. `uses` has, for each version of
    terms with the clause: act, model, version, state, and whether its words were changed there.
    """
    own_side()
    with reading(actor, Permission.ENGAGEMENT_READ) as instance:
        made = list(Terms.objects.select_related("act").order_by("act_id", "number", "pk"))
        packs = {instance.pack.digest: instance.pack}
        for digest in dict.fromkeys(version.document["pack_digest"] for version in made):
            packs.setdefault(digest, pack_of(digest))
        found: dict[tuple[str, str, str], dict[str, Any]] = {}
        for pack in packs.values():
            required = pack.sequence("terms", "required")
            for row, clause in zip(
                pack.records("terms", "clauses"), rules.clauses_of(pack), strict=True
            ):
                key = (clause.id, clause.version, clause.digest)
                entry = found.setdefault(
                    key,
                    {
                        "id": clause.id,
                        "version": clause.version,
                        "digest": clause.digest,
                        "title": row["title"],
                        "text": row["text"],
                        "required": clause.id in required,
                        "packs": [],
                        "uses": [],
                    },
                )
                entry["packs"].append(pack.ref)
        for version in made:
            for used in version.document["clauses"]:
                use = {
                    "act": version.act_id,
                    "model": version.act.model,
                    "version": version.number,
                    "terms": version.digest,
                    "state": version.state,
                    "changed": bool(used.get("text")),
                }
                found[used["id"], used["version"], used["digest"]]["uses"].append(use)
        return list(found.values())


def waits_for(actor: Actor, row: Act) -> int | None:
    """The number of the version that this person is to accept before reading, None for none."""
    if not is_bound(actor):
        return None
    with scoped(SYSTEM):  # a reader of another office sees neither act nor terms
        made = in_force(row)
        if made is None:
            return None
        named = {p["id"] for p in made.document["people"]} - struck(row, made.number)
    person = address_of(actor)
    return made.number if person in named and not has_accepted(row, person, made.digest) else None


def terms_for_review(actor: Actor, review_id: str) -> dict[str, Any]:
    """The terms in force of the act under review, for a person whom they name. Raises NotFound."""
    with reading(actor, Permission.REVIEW_READ):
        act = act_of(seen_review(actor, review_id))
        found = binding_of(act)
        if found is None or address_of(actor) not in found.people:
            raise NotFound("no terms of this review name you")
        with scoped(SYSTEM):
            shown = terms_view(actor, act)
        assert shown is not None
        return {**shown, "model": act.model, "marking": act.marking}


def offered_terms(actor: Actor) -> dict[str, Any]:
    """What the pack lets terms choose from: clauses, required ones, purposes, publication."""
    own_side()
    pack = here().pack
    if not (actor.host or actor.system) or not actor.may(Permission.TERMS_SIGN):
        raise NotFound("no such thing here")
    terms = plain(pack.mapping("terms"))
    return {
        **{name: terms[name] for name in ("clauses", "required", "publication", "access")},
        "purposes": [dict(row) for row in pack.records("engagement", "purposes")],
    }
