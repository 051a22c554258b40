"""Documents of terms as they are drafted: the first of an act, and what departs from another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from vedette.engagement import terms as rules
from vedette.engagement.terms import Clause, Person, Quota
from vedette.engagement.terms import Terms as Document
from vedette.kernel.errors import BadInput
from vedette.kernel.markings import Marking, join
from vedette.services.here import here
from vedette.store.models import Act


def first(
    row: Act,
    people: Iterable[Mapping[str, str]],
    purposes: Iterable[str],
    quota: Mapping[str, int] | None,
    publication: str,
    clauses: Iterable[str] | None,
) -> Document:
    """The first version of an act's terms, with the pack's own marking, export and watermark."""
    if quota is None:
        raise BadInput("quota: calls and tokens expected")
    instance = here()
    assert row.opens is not None
    assert row.closes is not None
    usual = [Marking.parse(instance.pack.text("terms", "access", "marking"))]
    return Document(
        act=row.id,
        lab=instance.keys.public.keyid,
        office=row.peer_id,
        basis=row.basis,
        opens=row.opens,
        closes=row.closes,
        clauses=rules.clauses_of(instance.pack, clauses),
        people=_people(people),
        purposes=tuple(purposes) or ((row.purpose,) if row.purpose else ()),
        quota=_quota(quota),
        publication=publication,
        marking=str(join([*usual, Marking.parse(row.marking)])),
        export=instance.pack.boolean("terms", "access", "export"),
        watermark=instance.pack.boolean("terms", "access", "watermark"),
        pack=instance.pack.ref,
        pack_digest=instance.pack.digest,
    )


def departed(
    row: Act,
    base: Document,
    marking: str = "",
    export: bool | None = None,
    watermark: bool | None = None,
    *,
    people: Iterable[Mapping[str, str]] | None = None,
    purposes: Iterable[str] | None = None,
    quota: Mapping[str, int] | None = None,
    publication: str = "",
    clauses: Iterable[str] | None = None,
    words: Mapping[str, str] | None = None,
    version: int = 1,
) -> Document:
    """`base` with what is given changed, under the pack in force; its act and hours stay."""
    pack = here().pack
    terms = replace(
        base,
        people=base.people if people is None else _people(people),
        purposes=base.purposes if purposes is None else tuple(purposes),
        quota=base.quota if quota is None else _quota(quota),
        publication=publication or base.publication,
        clauses=_clauses(base, clauses, words or {}),
        marking=marking or base.marking,
        export=base.export if export is None else export,
        watermark=base.watermark if watermark is None else watermark,
        pack=pack.ref,
        pack_digest=pack.digest,
        version=version,
    )
    # what is signed must read back as it was
    return Document.from_json(terms.to_json())


def _clauses(
    base: Document, ids: Iterable[str] | None, words: Mapping[str, str]
) -> tuple[Clause, ...]:
    """The library's clauses of today, with the words that the base or this draft changed."""
    pack = here().pack
    standing = {clause.id: clause for clause in base.clauses}
    made = []
    for clause in rules.clauses_of(pack, standing if ids is None else ids):
        before = standing.get(clause.id)
        text = words.get(clause.id, before.text if before else "").strip()
        same = text == rules.clause_text(pack, clause)[1]
        made.append(replace(clause, text="" if same else text))
    for key in words:
        if key not in {clause.id for clause in made}:
            raise BadInput(f"terms.clauses: {key[:40]!r} is not among the clauses chosen")
    return tuple(made)


def _people(people: Iterable[Mapping[str, str]]) -> tuple[Person, ...]:
    try:
        return tuple(Person(str(p["id"]).strip().lower(), str(p["name"]).strip()) for p in people)
    except KeyError as error:
        raise BadInput(f"terms: {error} missing") from None


def _quota(quota: Mapping[str, Any]) -> Quota:
    try:
        return Quota(quota["calls"], quota["tokens"])
    except KeyError as error:
        raise BadInput(f"terms: {error} missing") from None
