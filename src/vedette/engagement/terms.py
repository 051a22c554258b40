"""The terms of a window: clauses from the pack, people, purposes, quota; signed by both sides.

Rules:
- A clause stands in the terms by id, version and digest of its text, so that the signature covers
  the words and a later pack changes nothing that was signed. Words that the parties changed stand
  in the terms themselves, beside the digest of the library's words that they depart from.
- The clauses that the pack requires are all there; at least one person and one purpose is named.
- `marking` is the highest that may be read under the terms; `export` and `watermark` say whether
  the office may take copies away, and whether its copies name their reader.
- Both sides sign the same canonical bytes; terms that only one has signed bind nobody.
- The version is part of what is signed. No version has other hours than the act's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from vedette.kernel.canonical import canonical, digest
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import BadInput
from vedette.kernel.keys import PrivateKeys, PublicKeys
from vedette.kernel.markings import Marking
from vedette.kernel.packs import PolicyPack

FORMAT = 1
CONTEXT = b"vedette terms 1\n"
PEOPLE_LIMIT = 200
CLAUSE_LIMIT = 100
WORDS_LIMIT = 6_000
VERSION_LIMIT = 1_000
QUOTA_LIMIT = 10**12
TEXTS = ("act", "lab", "office", "basis", "publication", "marking", "pack", "pack_digest")


@dataclass(frozen=True)
class Clause:
    """A clause as it stands in the terms: the library's words, or `text` where it was changed.

    `version` and `digest` are those of the library's clause, whichever words hold.
    """

    id: str
    version: str
    digest: str
    text: str = ""

    def to_json(self) -> dict[str, str]:
        own = {"id": self.id, "version": self.version, "digest": self.digest}
        return {**own, "text": self.text} if self.text else own


@dataclass(frozen=True)
class Person:
    """A named person with access: an id that the office's instance knows, and a name."""

    id: str
    name: str


@dataclass(frozen=True)
class Quota:
    """What a window may use in all, in calls and in tokens (in and out together)."""

    calls: int
    tokens: int


@dataclass(frozen=True)
class Terms:
    """One version of the terms of one act; `lab` and `office` are key ids, times are UTC."""

    act: str
    lab: str
    office: str
    basis: str
    opens: datetime
    closes: datetime
    clauses: tuple[Clause, ...]
    people: tuple[Person, ...]
    purposes: tuple[str, ...]
    quota: Quota
    publication: str
    marking: str
    export: bool
    watermark: bool
    pack: str
    pack_digest: str
    version: int = 1

    def to_json(self) -> dict[str, Any]:
        return {
            "vedette_terms": FORMAT,
            "version": self.version,
            "act": self.act,
            "lab": self.lab,
            "office": self.office,
            "basis": self.basis,
            "opens": format_time(self.opens),
            "closes": format_time(self.closes),
            "clauses": [clause.to_json() for clause in self.clauses],
            "people": [{"id": person.id, "name": person.name} for person in self.people],
            "purposes": list(self.purposes),
            "quota": {"calls": self.quota.calls, "tokens": self.quota.tokens},
            "publication": self.publication,
            "marking": self.marking,
            "export": self.export,
            "watermark": self.watermark,
            "pack": self.pack,
            "pack_digest": self.pack_digest,
        }

    @property
    def digest(self) -> str:
        return digest(canonical(self.to_json()))

    def to_sign(self) -> bytes:
        return CONTEXT + canonical(self.to_json())

    def names(self, person: str) -> bool:
        return any(person == named.id for named in self.people)

    @classmethod
    def from_json(cls, value: Any) -> Terms:
        """Read terms from a message. Raises BadInput; whether they suit a pack is `check_terms`."""
        try:
            if value["vedette_terms"] != FORMAT:
                raise KeyError("vedette_terms")
            for name in TEXTS:
                _text(value[name], name)
            return cls(
                opens=parse_time(value["opens"], field="terms.opens"),
                closes=parse_time(value["closes"], field="terms.closes"),
                clauses=tuple(_clause(row) for row in value["clauses"]),
                people=tuple(
                    Person(*(_text(row[key], "people") for key in ("id", "name")))
                    for row in value["people"]
                ),
                purposes=tuple(_text(purpose, "purposes") for purpose in value["purposes"]),
                quota=Quota(_whole(value["quota"]["calls"]), _whole(value["quota"]["tokens"])),
                export=_yes_no(value["export"], "export"),
                watermark=_yes_no(value["watermark"], "watermark"),
                version=_whole(value["version"], "version", VERSION_LIMIT),
                **{name: value[name] for name in TEXTS},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise BadInput(f"terms: malformed ({type(error).__name__}: {error})") from None


def _clause(row: Any) -> Clause:
    made = Clause(*(_text(row[key], "clauses") for key in ("id", "version", "digest")))
    return replace(made, text=_text(row["text"], "clauses", WORDS_LIMIT)) if "text" in row else made


def _text(value: Any, field: str, limit: int = 300) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > limit:
        raise BadInput(f"terms.{field}: text of 1 to {limit:,} characters expected")
    return value


def _whole(value: Any, field: str = "quota", limit: int = QUOTA_LIMIT) -> int:
    if type(value) is not int or not 0 < value <= limit:
        raise BadInput(f"terms.{field}: whole number from 1 to {limit:,} expected")
    return value


def _yes_no(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise BadInput(f"terms.{field}: true or false expected")
    return value


def clauses_of(pack: PolicyPack, ids: Iterable[str] | None = None) -> tuple[Clause, ...]:
    """Return clauses of the pack by id, all of them by default. Raises BadInput on another id."""
    library = {row["id"]: row for row in pack.records("terms", "clauses")}
    chosen = list(library) if ids is None else list(ids)
    for key in chosen:
        if key not in library:
            raise BadInput(f"terms.clauses: {key[:40]!r} is not in {pack.ref}")
    return tuple(Clause(key, library[key]["version"], _words(library[key])) for key in chosen)


def _words(row: Mapping[str, Any]) -> str:
    return digest(canonical({"title": row["title"], "text": row["text"]}))


def clause_text(pack: PolicyPack, clause: Clause) -> tuple[str, str]:
    """Return a clause's title and the library's words. Raises BadInput when the pack has others."""
    for row in pack.records("terms", "clauses"):
        if (row["id"], row["version"], _words(row)) == (clause.id, clause.version, clause.digest):
            return row["title"], row["text"]
    raise BadInput(
        f"terms.clauses: {clause.id} version {clause.version} has other words in {pack.ref}",
        next_step="read it under the pack that the terms name",
    )


def check_terms(pack: PolicyPack, terms: Terms) -> None:
    """Raise BadInput, naming the field, where the terms are no terms under the pack."""
    if (terms.pack, terms.pack_digest) != (pack.ref, pack.digest):
        raise BadInput(f"terms.pack: made under {terms.pack[:60]}, this is {pack.ref}")
    if terms.lab == terms.office:
        raise BadInput("terms.office: the lab and the office are two parties")
    _check_clauses(pack, terms)
    missing = set(pack.sequence("terms", "required")) - {clause.id for clause in terms.clauses}
    if missing:
        raise BadInput(f"terms.clauses: without {', '.join(sorted(missing))}")
    if not 1 <= len(terms.people) <= PEOPLE_LIMIT:
        raise BadInput(f"terms.people: name 1 to {PEOPLE_LIMIT} people")
    if len({person.id for person in terms.people}) != len(terms.people):
        raise BadInput("terms.people: somebody is named twice")
    known = {row["id"] for row in pack.records("engagement", "purposes")}
    if not terms.purposes or not known.issuperset(terms.purposes):
        raise BadInput(f"terms.purposes: choose among {', '.join(sorted(known))}")
    forms = {row["id"] for row in pack.records("terms", "publication")}
    if terms.publication not in forms:
        raise BadInput(f"terms.publication: choose one of {', '.join(sorted(forms))}")
    Marking.parse(terms.marking)
    if not (0 < terms.quota.calls <= QUOTA_LIMIT and 0 < terms.quota.tokens <= QUOTA_LIMIT):
        raise BadInput(f"terms.quota: whole numbers from 1 to {QUOTA_LIMIT:,} expected")


def _check_clauses(pack: PolicyPack, terms: Terms) -> None:
    if len(terms.clauses) > CLAUSE_LIMIT:
        raise BadInput(f"terms.clauses: {len(terms.clauses)}, at most {CLAUSE_LIMIT}")
    if len({clause.id for clause in terms.clauses}) != len(terms.clauses):
        raise BadInput("terms.clauses: one stands there twice")
    for clause in terms.clauses:
        if clause_text(pack, clause)[1] == clause.text:
            raise BadInput(f"terms.clauses: {clause.id} is changed into the library's own words")


def sign_terms(terms: Terms, keys: PrivateKeys) -> str:
    """Return this side's detached signature, as hex."""
    return keys.sign(terms.to_sign()).hex()


def signed_by(terms: Terms, signature: str, keys: PublicKeys) -> bool:
    """Tell whether one of the two parties, with these keys, signed exactly these terms."""
    try:
        raw = bytes.fromhex(signature)
    except ValueError:
        return False
    return keys.keyid in (terms.lab, terms.office) and keys.verify(raw, terms.to_sign())


def signed_by_both(
    terms: Terms,
    lab_signature: str,
    lab_keys: PublicKeys,
    office_signature: str,
    office_keys: PublicKeys,
) -> bool:
    """Tell whether both sides signed exactly these terms, each with the key the terms name."""
    return (
        (lab_keys.keyid, office_keys.keyid) == (terms.lab, terms.office)
        and signed_by(terms, lab_signature, lab_keys)
        and signed_by(terms, office_signature, office_keys)
    )
