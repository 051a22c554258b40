"""Advisory draft → OSV record.

Choices: a range of a known ecosystem is an ECOSYSTEM range; a product without an ecosystem has no
`package`, so its vendor, name and ranges stand in `database_specific`. What OSV has no field for
(the marking, who claimed which severity, what is corrected and how that was shown) stands in
`database_specific.vedette`.

Source: OpenSSF, Open Source Vulnerability format, schema 1.7.
"""

from __future__ import annotations

from typing import Any

from vedette.formats.advisory import AdvisoryDraft, Affected, VersionRange
from vedette.formats.csaf_out import vers
from vedette.kernel.clock import format_time

SCHEMA_VERSION = "1.7.0"
_SEVERITY_TYPE = {"2.0": "CVSS_V2", "3.0": "CVSS_V3", "3.1": "CVSS_V3", "4.0": "CVSS_V4"}


def filename(draft: AdvisoryDraft) -> str:
    """Return the file name: the id as it is."""
    return f"{draft.id}.json"


def render(draft: AdvisoryDraft) -> dict[str, Any]:
    """Return the draft as an OSV record that passes the official schema."""
    record: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "id": draft.id,
        "modified": format_time(draft.modified),
        "published": format_time(draft.published),
        "summary": draft.summary,
        "details": _details(draft),
        "affected": [_affected(item) for item in draft.affected],
        "database_specific": {"vedette": _specific(draft)},
    }
    if draft.other_names:
        record["aliases"] = list(draft.other_names)
    if related := _related(draft):
        record["related"] = related
    if draft.claims:
        record["severity"] = _severity(draft)
    if draft.references:
        record["references"] = [{"type": r.kind, "url": r.url} for r in draft.references]
    if draft.credits:
        record["credits"] = [{"name": c.name, "type": c.kind} for c in draft.credits]
    return record


def _details(draft: AdvisoryDraft) -> str:
    parts = [draft.details, draft.remedy_text]
    parts += [f"Corrects {c.id}: {c.statement}\nEvidence: {c.evidence}" for c in draft.corrects]
    return "\n\n".join(parts)


def _related(draft: AdvisoryDraft) -> list[str]:
    named = {draft.id, *draft.other_names}
    return list(dict.fromkeys(c.id for c in draft.corrects if c.id not in named))


def _affected(item: Affected) -> dict[str, Any]:
    specific: dict[str, Any] = {"vendor": item.vendor, "product": item.product}
    affected: dict[str, Any] = {"database_specific": {"vedette": specific}}
    if item.fixes:
        specific["fixed_versions"] = sorted(item.fixes)
    if item.ecosystem:
        affected["package"] = {"ecosystem": item.ecosystem, "name": item.package}
        if item.purl:
            affected["package"]["purl"] = item.purl
        if item.ranges:
            affected["ranges"] = [_range(bounds) for bounds in item.ranges]
    elif item.ranges:
        specific["ranges"] = [vers(item, bounds) for bounds in item.ranges]
    if item.versions:
        affected["versions"] = list(item.versions)
    return affected


def _range(bounds: VersionRange) -> dict[str, Any]:
    events = [{"introduced": bounds.introduced}]
    if bounds.fixed:
        events.append({"fixed": bounds.fixed})
    if bounds.last:
        events.append({"last_affected": bounds.last})
    return {"type": "ECOSYSTEM", "events": events}


def _severity(draft: AdvisoryDraft) -> list[dict[str, str]]:
    scores = dict.fromkeys((_SEVERITY_TYPE[c.version], c.vector) for c in draft.claims)
    return [{"type": kind, "score": vector} for kind, vector in scores]


def _specific(draft: AdvisoryDraft) -> dict[str, Any]:
    specific: dict[str, Any] = {"marking": str(draft.marking), "publisher": draft.publisher.name}
    if draft.cwe:
        specific["cwe_ids"] = list(draft.cwe)
    if draft.claims:
        specific["severity_claims"] = [
            {"claimant": c.claimant.value, "party": c.party, "vector": c.vector, "words": c.words}
            for c in draft.claims
        ]
    if draft.corrects:
        specific["corrects"] = [c.id for c in draft.corrects]
        specific["evidence"] = "; ".join(c.evidence for c in draft.corrects)
        specific["corrections"] = [
            {"id": c.id, "statement": c.statement, "evidence": c.evidence} for c in draft.corrects
        ]
    return specific
