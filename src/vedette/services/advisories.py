"""Advisories: written from a case's facts, checked by the formats' validators, published.

Rules:
- What is published is written anew from facts; no public record is copied in.
- A document that its format's validator faults is not stored.
- While the embargo runs, publishing needs everybody's agreement (clearinghouse.invariants) and the
  coordinator's reason, which the ledger keeps.
- Tracking ids are random. Publishing again makes a new revision under the same id.
- A correction carries the record it corrects and the sentence of what was executed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vedette.clearinghouse.machine import Party
from vedette.clearinghouse.priority import IMPACTS
from vedette.clearinghouse.severity import Claimant
from vedette.clearinghouse.severity import SeverityClaim as Claim
from vedette.clearinghouse.states import CASE
from vedette.formats import csaf_out, osv_out, validate, vex_out
from vedette.formats.advisory import (
    AdvisoryDraft,
    Affected,
    Correction,
    Credit,
    Publisher,
    Reference,
    Revision,
    VersionRange,
    new_advisory_id,
)
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.markings import TLP, Marking
from vedette.kernel.permissions import Permission
from vedette.services import index
from vedette.services.acting import Actor, Doing, reading
from vedette.services.embargoes import check, embargo_of
from vedette.services.finding_outcomes import reply
from vedette.services.here import Here
from vedette.services.parties import on_case, words
from vedette.services.shown import affected_of, sentences
from vedette.store.models import (
    Advisory,
    Case,
    CaseParticipant,
    Finding,
    FixDelivery,
    SeverityClaim,
)

FORMATS = {"csaf": csaf_out, "osv": osv_out, "vex": vex_out}
SCHEMA = "VEDETTE_OSV_SCHEMA"
PUBLIC = Marking(TLP.CLEAR)


def publish_advisory(
    actor: Actor,
    case_id: str,
    *,
    summary: str,
    details: str,
    priority: Mapping[str, Any],
    title: str = "",
    affected: Sequence[Mapping[str, Any]] = (),
    aliases: Sequence[str] = (),
    cwe: Sequence[str] = (),
    credits: Sequence[Mapping[str, str]] = (),
    references: Sequence[Mapping[str, str]] = (),
    corrects: Sequence[Mapping[str, str] | str] = (),
    remedy: str = "",
    reason: str = "",
) -> Advisory:
    """Publish a case's advisory, or a new revision of it.

    Args:
        priority: `{"kev": bool, "automatable": bool, "impact": "partial" | "total"}`, the facts
            that an operator's deadline follows from.
        affected: products as in `formats.advisory.Affected`; without it what was executed.
        corrects: ids of records, or `{"id", "statement"}`; the evidence is ours.
        reason: why now, needed while the embargo runs; the summary of a later revision.
    """
    facts = _priority(priority)
    with on_case(actor, case_id, Permission.ADVISORY_PUBLISH) as (doing, case):
        if not actor.host:
            raise Forbidden("the clearinghouse publishes")
        row = Advisory.objects.select_for_update().filter(case=case).first()
        first = row is None
        if row is None:
            row = Advisory(
                org_id=doing.here.org,
                case=case,
                tracking_id=new_advisory_id(),
                published_at=doing.now,
            )
        given = {
            "title": title or case.title,
            "summary": summary,
            "details": details,
            "affected": [dict(each) for each in affected] or executed(case),
            "aliases": list(aliases),
            "cwe": list(cwe) or _weaknesses(case),
            "credits": [dict(each) for each in credits],
            "references": [dict(each) for each in references],
            "corrects": _corrections(case, corrects),
            "severity": _claims(case),
            "remedy": remedy,
            "revisions": _revisions(row, doing, reason, first),
        }
        _write(doing.here, row, given)
        row.priority, row.public = facts, True
        if first:
            _publish(doing, case, words(reason, "reason", 1_000, empty=True))
        row.save()
        doing.record(
            Event.CASE_ADVISORY_PUBLISHED,
            row.tracking_id,
            {"case": case.id, "revision": len(given["revisions"]), "reason": reason},
            marking=row.marking,
        )
        for finding in Finding.objects.select_related("peer").filter(case=case):
            reply(doing, finding, f"published as {row.tracking_id}")
        doing.after(index.rebuild)
        return row


def _publish(doing: Doing, case: Case, reason: str) -> None:
    """Move the case, within the embargo's rules."""
    participants = list(CaseParticipant.objects.filter(case=case).select_related("org"))
    state = embargo_of(doing.here.pack, case, participants, doing.now)
    if not state.over and not reason:
        raise Refused(
            f"the embargo runs until {format_time(state.ends)} ({state.ends_because})",
            kept="the case as it was",
            next_step="wait, or give the reason to publish now",
        )
    move = CASE.step(case.state, "publish", Party.COORDINATOR)
    case.state = move.target
    check(doing, case, participants, state.ends)
    early = {} if state.over else {"published_early": reason}
    case.facts = {**case.facts, **early, "published": format_time(doing.now)}
    case.embargo_until = None
    case.save(update_fields=["state", "facts", "embargo_until"])
    doing.record(move.event, case.id, {"reason": reason}, marking=case.marking)


def _write(instance: Here, row: Advisory, content: dict[str, Any]) -> None:
    """Put the documents into `row`. Raises BadInput naming what the validator faults."""
    draft = draft_of(row.tracking_id, content, instance)
    row.title, row.content, row.marking = draft.title, content, str(PUBLIC)
    row.corrects = [each["id"] for each in content["corrects"]]
    row.csaf, row.osv = csaf_out.render(draft), osv_out.render(draft)
    schema = os.environ.get(SCHEMA)
    faults = {
        "csaf": validate.validate_csaf(row.csaf),
        "osv": validate.validate_osv(row.osv, Path(schema) if schema else None),
    }
    row.checks = {}
    for name, lines in faults.items():
        wrong = [line for line in lines if not line.startswith(validate.NOT_CHECKED)]
        if wrong:
            raise BadInput(f"advisory: its {name} document is faulted: {wrong[0][:300]}")
        row.checks[name] = lines[0] if lines else "passed"


def draft_of(tracking_id: str, content: Mapping[str, Any], instance: Here) -> AdvisoryDraft:
    """The neutral draft from an advisory's stored content. Raises BadInput naming the field."""
    return AdvisoryDraft(
        id=tracking_id,
        title=words(content["title"], "title", 300),
        summary=words(content["summary"], "summary", 1_000),
        details=words(content["details"], "details", 65_536),
        publisher=Publisher(instance.name, instance.url),
        affected=tuple(_affected(each) for each in content["affected"]),
        revisions=tuple(
            Revision(r["number"], parse_time(r["date"], field="revision"), r["summary"])
            for r in content["revisions"]
        ),
        aliases=_texts(content, "aliases"),
        cwe=_texts(content, "cwe"),
        severity=tuple(
            Claim(
                Claimant(c["claimant"]),
                c["party"],
                c["vector"],
                parse_time(c["made"], field="severity"),
                c["words"],
            )
            for c in content["severity"]
        ),
        credits=tuple(Credit(**_only(c, "credits", "name", "kind")) for c in content["credits"]),
        references=tuple(
            Reference(**_only(r, "references", "url", "kind", "summary"))
            for r in content["references"]
        ),
        corrects=tuple(Correction(**each) for each in content["corrects"]),
        marking=PUBLIC,
        remedy=words(content["remedy"], "remedy", 65_536, empty=True),
    )


def _affected(given: Mapping[str, Any]) -> Affected:
    names = ("vendor", "product", "ecosystem", "package", "purl")
    known = _only(given, "affected", *names, "ranges", "versions", "fixed_versions")
    ranges = known.pop("ranges", [])
    fields: dict[str, Any] = {
        name: words(known.get(name, ""), f"affected.{name}", 300, empty=True) for name in names
    }
    for name in ("versions", "fixed_versions"):
        fields[name] = _texts(known, name)
    if not isinstance(ranges, list):
        raise BadInput("affected.ranges: a list belongs here")
    bounds = [_only(each, "affected.ranges", "introduced", "fixed", "last") for each in ranges]
    for each in bounds:
        for name, value in each.items():
            words(value, f"affected.ranges.{name}", 100, empty=True)
    return Affected(**fields, ranges=tuple(VersionRange(**each) for each in bounds))


def _only(given: Any, field: str, *names: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise BadInput(f"{field}: an object belongs here")
    for name in given:
        if name not in names:
            raise BadInput(f"{field}.{str(name)[:40]}: no such field; known are {', '.join(names)}")
    return dict(given)


def _texts(given: Mapping[str, Any], field: str) -> tuple[str, ...]:
    values = given.get(field, ())
    if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
        raise BadInput(f"{field}: a list of texts belongs here")
    return tuple(values)


def _priority(given: Mapping[str, Any]) -> dict[str, Any]:
    facts = _only(given, "priority", "kev", "automatable", "impact")
    for name in ("kev", "automatable"):
        if not isinstance(facts.get(name), bool):
            raise BadInput(f"priority.{name}: true or false belongs here")
    if facts.get("impact") not in IMPACTS:
        raise BadInput(f"priority.impact: one of {', '.join(IMPACTS)} belongs here")
    return facts


def executed(case: Case) -> list[dict[str, Any]]:
    """The affected products of a case, as far as executions showed them."""
    fix = FixDelivery.objects.filter(case=case, state="verified").order_by("-verified_at").first()
    return list(affected_of(case, fix.version if fix else ""))


def _weaknesses(case: Case) -> list[str]:
    rows = Finding.objects.filter(case=case, duplicate_of=None).values_list("cwe", flat=True)
    return sorted({weakness for cwe in rows for weakness in cwe})


def _claims(case: Case) -> list[dict[str, Any]]:
    return [
        {
            "claimant": claim.claimant,
            "party": claim.party,
            "vector": claim.vector,
            "words": claim.reason,
            "made": format_time(claim.at),
        }
        for claim in SeverityClaim.objects.filter(case=case).order_by("at", "pk")
    ]


def _corrections(case: Case, given: Sequence[Mapping[str, str] | str]) -> list[dict[str, str]]:
    """What is corrected, each with the sentence of what we executed."""
    if not given:
        return []
    executed = " ".join(sentences(case))
    if not executed:
        raise Refused("corrects: no execution of ours backs a correction")
    made = []
    for each in given:
        named = (
            {"id": each} if isinstance(each, str) else _only(each, "corrects", "id", "statement")
        )
        statement = named.get("statement") or "Its affected range differs from what was executed."
        made.append(
            {
                "id": words(named.get("id", ""), "corrects.id", 200),
                "statement": words(statement, "corrects.statement", 4_000),
                "evidence": executed[:4_000],
            }
        )
    return made


def _revisions(row: Advisory, doing: Doing, reason: str, first: bool) -> list[dict[str, Any]]:
    known = list(row.content.get("revisions", ()))
    summary = "First published." if first else words(reason, "reason", 1_000)
    return [
        *known,
        {"number": len(known) + 1, "date": format_time(doing.now), "summary": summary},
    ]


def published(actor: Actor, case_id: str) -> Advisory:
    """The published advisory of a case (by the case's or its own tracking id)."""
    with reading(actor):
        rows = Advisory.objects.filter(public=True)
        row = rows.filter(tracking_id=case_id).first() or rows.filter(case_id=case_id).first()
        if row is None:
            raise NotFound(f"no advisory is published of {case_id[:60]!r}")
        return row


def render(actor: Actor, case_id: str, format_: str) -> tuple[str, dict[str, Any]]:
    """A case's advisory in one of FORMATS: file name and document. Raises BadInput."""
    if format_ not in FORMATS:
        raise BadInput(f"format: {format_[:20]!r} is none of {', '.join(FORMATS)}")
    row = published(actor, case_id)
    with reading(actor) as instance:
        draft = draft_of(row.tracking_id, row.content, instance)
    writer = FORMATS[format_]
    stored = {"csaf": row.csaf, "osv": row.osv}
    # CSAF prescribes its name; OSV's would be the same one in the same folder
    name = f"{draft.id}.osv.json" if format_ == "osv" else writer.filename(draft)
    return name, stored.get(format_) or writer.render(draft)
