"""What can be had as a marked document: an assessment, a determination, an act with its terms.

Each builder runs in the reader's scope, and hands over portions with their markings and sources.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vedette.engagement.terms import Clause, Terms, clause_text
from vedette.formats.assessment_document import assessment_portions, determination_portions
from vedette.formats.document import Content, Document, Facts, Grid, Heading, Text
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.classification import Rules, declassify_on, is_classified
from vedette.kernel.clock import written
from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.markings import CLEAR, Marking
from vedette.kernel.packs import PolicyPack
from vedette.kernel.permissions import Permission
from vedette.kernel.portions import Portion, Source
from vedette.readiness.dossier import fields_of
from vedette.services.acts import act_row
from vedette.services.here import here
from vedette.services.packs import pack_of
from vedette.services.sides import own_side
from vedette.services.suites import suite_of
from vedette.services.term_versions import in_force, versions_of
from vedette.store.models import Act, Assessment, Determination, Run


@dataclass(frozen=True)
class Found:
    """A document, and the act whose terms bind it, None where there is none."""

    document: Document
    act: Act | None


@dataclass(frozen=True)
class Kind:
    """One kind of document: who may read it, how it is built, where its page is."""

    permission: Permission
    build: Callable[[str], Found]
    page: str


def act_source(row: Act) -> Source:
    cited = f"Act {row.id}, {here().name} and {row.peer.name}"
    made = f"{row.offered_at:%Y-%m-%d}"
    return Source(cited, Marking.parse(row.marking), made, _instruction(row.declassify))


def _instruction(text: str) -> str:
    """What a suite or an act says of its declassification; none where the pack knows no such."""
    return text if Rules.of(here().pack).allows(text) else ""


def _suite_source(run: Run) -> Source | None:
    try:
        suite = suite_of(run.suite, run.suite_digest)
    except (BadInput, NotFound):
        return None
    cited = f"Suite {suite.name} {suite.version}, {here().name}"
    return Source(cited, suite.marking, declassify=_instruction(suite.declassify))


def _run_sources(run: Run) -> tuple[Source, ...]:
    own = Source(
        f"Run {run.id}, {here().name}", Marking.parse(run.marking), f"{run.committed_at:%Y-%m-%d}"
    )
    suite = _suite_source(run)
    return (*([suite] if suite else []), own, *([act_source(run.act)] if run.act else []))


def _received(kind: str, row: Assessment | Determination) -> Source:
    origin = row.act.peer.name if row.act and kind != "Assessment" else row.made_by
    marking = Marking.parse(row.marking)
    made_here = isinstance(row, Assessment) and row.run is not None
    instruction = derived_instruction(row) if made_here else _instruction(row.declassify)
    return Source(f"{kind} {row.id}, {origin}", marking, f"{row.made_at:%Y-%m-%d}", instruction)


def derived_instruction(row: Assessment | Determination) -> str:
    """When what is derived from an assessment or determination made here is declassified: the
    longest of its sources' instructions; "" where it is not classified."""
    if not is_classified(Marking.parse(row.marking)):
        return ""
    own = sources_of(row) if isinstance(row, Assessment) else determination_sources(row)
    known = [source for source in own if is_classified(source.marking)]
    return declassify_on(known, Rules.of(here().pack), row.made_at.date())


def determination_sources(row: Determination) -> tuple[Source, ...]:
    """What a determination was derived from, or where it was received."""
    known = row.assessment
    return (_received("Assessment", known) if known else _received("Determination", row),)


def sources_of(row: Assessment) -> tuple[Source, ...]:
    """What an assessment was derived from: its run, suite and act, or where it was received."""
    return _run_sources(row.run) if row.run else (_received("Assessment", row),)


def assessment(object_id: str) -> Found:
    own_side()
    rows = Assessment.objects.select_related("act", "act__peer", "run", "run__act__peer")
    row = rows.filter(id=object_id).first()
    if row is None:
        raise NotFound(f"assessment {object_id[:40]!r} is not here")
    suite = _suite_source(row.run) if row.run else None
    portions = assessment_portions(
        row.document,
        whole=Marking.parse(row.marking),
        sources=sources_of(row),
        suite=(suite.marking, (suite,)) if suite else None,
    )
    return Found(Document("assessment", row.id, row.digest, tuple(portions)), row.act)


def determination(object_id: str) -> Found:
    own_side()
    rows = Determination.objects.select_related("act", "act__peer", "assessment")
    row: Any = rows.filter(id=object_id).first()
    if row is None:
        raise NotFound(f"determination {object_id[:40]!r} is not here")
    portions = determination_portions(
        row.document, whole=Marking.parse(row.marking), sources=determination_sources(row)
    )
    return Found(Document("determination", row.id, row.digest, tuple(portions)), row.act)


def act(object_id: str) -> Found:
    """An act: what is offered, its dossier fields each by its marking, its terms and signatures."""
    own_side()
    row = Act.objects.select_related("peer").filter(id=object_id).first()
    if row is None:
        raise NotFound(f"act {object_id[:40]!r} is not here")
    whole, sources = Marking.parse(row.marking), (act_source(row),)

    def made(content: Content) -> Portion[Content]:
        return Portion(content, whole, sources)

    said = act_row(row)
    facts = (
        ("Model", row.model),
        ("With", row.peer.name),
        ("State", row.state),
        *((label, written(at)) for label, at in _hours(row) if at is not None),
        ("Basis", _bases().get(row.basis, row.basis)),
        ("Purpose", _purposes().get(row.purpose, row.purpose)),
        ("Declassify on", row.declassify),
    )
    facts = tuple((label, text) for label, text in facts if text)
    words = f"{row.kind.replace('-', ' ').capitalize()} for {row.model}"
    parts = [made(Heading(words, 1)), made(Facts(facts))]
    for label, text in (("Note", row.note), ("Reason given", row.reason)):
        if text:
            parts += [Portion(Heading(label), CLEAR), made(Text(text))]
    parts += _partners(row, made)
    parts += _dossier(row, whole, sources)
    parts += _terms(row, made)
    record = {**said, "note": row.note, "dossier": row.dossier}
    return Found(Document("act", row.id, digest(canonical(record)), tuple(parts)), row)


def _hours(row: Act) -> tuple[tuple[str, datetime | None], ...]:
    return (
        ("Offered", row.offered_at),
        ("Answer by", row.answer_by),
        ("Answered", row.answered_at),
        ("Window opens", row.opens),
        ("Window closes", row.closes),
    )


def _bases() -> dict[str, str]:
    rows = here().pack.mapping("engagement", "bases")
    return {key: str(row["title"]) for key, row in rows.items()}


def _publications() -> dict[str, str]:
    return {r["id"]: str(r["title"]) for r in here().pack.records("terms", "publication")}


def _purposes() -> dict[str, str]:
    return {r["id"]: str(r["title"]) for r in here().pack.records("engagement", "purposes")}


def _partners(row: Act, made: Any) -> list[Portion[Content]]:
    rows = tuple(
        (
            one.name,
            *(text.replace("-", " ") for text in (one.sector, one.reason)),
            *(stance.replace("-", " ") for stance in (one.lab_stance, one.office_stance)),
        )
        for one in row.partners.order_by("place", "id")
    )
    heads = ("Name", "Sector", "Named because", "The lab", "The office")
    grid = Grid("Who is named, and what each side says", heads, rows)
    return [Portion(Heading("Trusted partners"), CLEAR), made(grid)] if rows else []


def dossier_marking(field_id: str, whole: Marking) -> Marking:
    """A dossier field's own marking, by the pack; what the pack does not know has the act's."""
    known = {field.id: field.marking for field in fields_of(here().pack)}
    return known.get(field_id, whole)


def _dossier(row: Act, whole: Marking, sources: tuple[Source, ...]) -> list[Portion[Content]]:
    labels = {field.id: field.label for field in fields_of(here().pack)}
    parts = [
        Portion[Content](
            Facts(((labels.get(key, key), str(text)),)), dossier_marking(key, whole), sources
        )
        for key, text in row.dossier.items()
    ]
    return [Portion(Heading("From the dossier"), CLEAR), *parts] if parts else []


def _terms(row: Act, made: Any) -> list[Portion[Content]]:
    """The version in force, else the last one proposed: its words, and who signed it."""
    versions = versions_of(row)
    kept = in_force(row) or (versions[-1] if versions else None)
    if kept is None:
        return []
    terms, pack = Terms.from_json(kept.document), pack_of(kept.document["pack_digest"])
    facts = (
        ("Version", f"{terms.version}, {'in force' if kept == in_force(row) else 'proposed'}"),
        ("People", "; ".join(f"{person.name} ({person.id})" for person in terms.people)),
        ("Purposes", ", ".join(_purposes().get(name, name) for name in terms.purposes)),
        ("Quota", f"{terms.quota.calls:,} calls, {terms.quota.tokens:,} tokens"),
        ("Publication", _publications().get(terms.publication, terms.publication)),
        ("Read up to", terms.marking),
        ("Copies may be taken away", "yes" if terms.export else "no"),
        ("Digest of the terms", kept.digest),
        ("Policy pack", terms.pack),
        ("Digest of the pack", terms.pack_digest),
    )
    signed = (
        ("Lab", kept.lab_signed_by or "not signed", kept.lab_signature),
        ("Office", kept.office_signed_by or "not signed", kept.office_signature),
    )
    return [
        Portion(Heading("Terms"), CLEAR),
        made(Facts(facts)),
        *(made(Text(_clause(pack, clause))) for clause in terms.clauses),
        Portion(Heading("Signatures"), CLEAR),
        made(Grid("Detached signatures over the terms", ("Side", "Signed by", "Ed25519"), signed)),
    ]


def _clause(pack: PolicyPack, clause: Clause) -> str:
    title, text = clause_text(pack, clause)
    return f"{title}. {clause.text or text}"


KINDS: dict[str, Kind] = {
    "act": Kind(Permission.ENGAGEMENT_READ, act, "/acts/{id}/"),
    "assessment": Kind(Permission.ASSESSMENT_READ, assessment, "/assessments/{id}/"),
    "determination": Kind(Permission.ASSESSMENT_READ, determination, "/determinations/{id}/"),
}
