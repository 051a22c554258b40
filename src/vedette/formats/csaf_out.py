"""Advisory draft → CSAF 2.0 document of the profile `csaf_security_advisory`.

Choices that the profile leaves open:
- A product is a branch vendor → product → version or version range (vers); a version carries its
  purl, a range carries the purl without version.
- CSAF 2.0 holds one CVSS 3 and one CVSS 2 score per product: the first claimant's stands there, and
  all parties' claims stand side by side in a note.
- TLP 2.0's CLEAR is written WHITE, AMBER+STRICT is written AMBER with the full marking as text.

Source: OASIS, Common Security Advisory Framework Version 2.0 (ISO/IEC 20153).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from vedette import __version__
from vedette.formats.advisory import AdvisoryDraft, Affected, VersionRange, check_vector
from vedette.kernel.clock import format_time
from vedette.kernel.markings import TLP

_TLP = {
    TLP.CLEAR: "WHITE",
    TLP.GREEN: "GREEN",
    TLP.AMBER: "AMBER",
    TLP.AMBER_STRICT: "AMBER",
    TLP.RED: "RED",
}
_NOT_IN_FILENAME = re.compile(r"[^+\-a-z0-9]+")


def filename(draft: AdvisoryDraft) -> str:
    """Return the file name that CSAF prescribes for the draft's tracking id."""
    return _NOT_IN_FILENAME.sub("_", draft.id.lower()) + ".json"


def render(draft: AdvisoryDraft) -> dict[str, Any]:
    """Return the draft as a CSAF 2.0 document that passes the schema and the mandatory tests."""
    tree = _Products(draft)
    return {
        "document": _document(draft),
        "product_tree": {"branches": tree.branches},
        "vulnerabilities": [_vulnerability(draft, tree)],
    }


def _document(draft: AdvisoryDraft) -> dict[str, Any]:
    publisher: dict[str, Any] = {
        "category": draft.publisher.category,
        "name": draft.publisher.name,
        "namespace": draft.publisher.namespace,
    }
    if draft.publisher.contact:
        publisher["contact_details"] = draft.publisher.contact
    document: dict[str, Any] = {
        "category": "csaf_security_advisory",
        "csaf_version": "2.0",
        "distribution": {
            "text": f"Distribution: {draft.marking}",
            "tlp": {"label": _TLP[draft.marking.tlp], "url": "https://www.first.org/tlp/"},
        },
        "lang": "en",
        "notes": [{"category": "summary", "title": "Summary", "text": draft.summary}],
        "publisher": publisher,
        "title": draft.title,
        "tracking": _tracking(draft),
    }
    if draft.references:
        document["references"] = _references(draft)
    if draft.credits:
        document["acknowledgments"] = _acknowledgments(draft)
    return document


def _tracking(draft: AdvisoryDraft) -> dict[str, Any]:
    tracking: dict[str, Any] = {
        "current_release_date": format_time(draft.modified),
        "generator": {"engine": {"name": "Vedette", "version": __version__}},
        "id": draft.id,
        "initial_release_date": format_time(draft.published),
        "revision_history": [
            {"date": format_time(r.date), "number": str(r.number), "summary": r.summary}
            for r in draft.revisions
        ],
        "status": "final",
        "version": str(draft.revisions[-1].number),
    }
    if draft.other_names:
        tracking["aliases"] = list(draft.other_names)
    return tracking


def _references(draft: AdvisoryDraft) -> list[dict[str, str]]:
    return [
        {"category": "external", "summary": r.summary.strip() or r.kind.title(), "url": r.url}
        for r in draft.references
    ]


def _acknowledgments(draft: AdvisoryDraft) -> list[dict[str, Any]]:
    return [{"names": [c.name], "summary": c.kind.replace("_", " ").lower()} for c in draft.credits]


def _vulnerability(draft: AdvisoryDraft, tree: _Products) -> dict[str, Any]:
    status = {"known_affected": tree.affected}
    if tree.fixed:
        status["fixed"] = tree.fixed
    category = "vendor_fix" if tree.fixed else "mitigation" if draft.remedy else "none_available"
    found: dict[str, Any] = {
        "ids": [{"system_name": draft.publisher.name, "text": draft.id}],
        "notes": _notes(draft),
        "product_status": status,
        "remediations": [
            {"category": category, "details": draft.remedy_text, "product_ids": tree.affected}
        ],
        "title": draft.title,
    }
    if draft.cves:
        found["cve"] = draft.cves[0]
    if draft.weakness:
        found["cwe"] = {"id": draft.weakness[0], "name": draft.weakness[1]}
    if draft.references:
        found["references"] = _references(draft)
    if score := _score(draft, tree.affected):
        found["scores"] = [score]
    return found


def _notes(draft: AdvisoryDraft) -> list[dict[str, str]]:
    notes = [
        {"category": "description", "title": "Description", "text": draft.summary},
        {"category": "details", "title": "Details", "text": draft.details},
    ]
    for correction in draft.corrects:
        notes.append(
            {
                "category": "other",
                "title": f"Corrects {correction.id}",
                "text": f"{correction.statement}\n\nEvidence: {correction.evidence}",
            }
        )
    if draft.claims:
        lines = [
            f"{c.party} ({c.claimant}): {c.vector}" + (f" ({c.words})" if c.words else "")
            for c in draft.claims
        ]
        notes.append(
            {
                "category": "other",
                "title": "Severity as each party judges it",
                "text": "\n".join(lines),
            }
        )
    return notes


def _score(draft: AdvisoryDraft, products: list[str]) -> dict[str, Any] | None:
    score: dict[str, Any] = {}
    for claim in draft.claims:
        field = {"2.0": "cvss_v2", "3.0": "cvss_v3", "3.1": "cvss_v3"}.get(claim.version)
        if field and field not in score:
            score[field] = check_vector(claim).as_json(minimal=True)
    return {"products": products, **score} if score else None


class _Products:
    """The product tree of a draft: its branches, and the ids of what is affected and fixed."""

    def __init__(self, draft: AdvisoryDraft) -> None:
        self.affected: list[str] = []
        self.fixed: list[str] = []
        self.branches: list[dict[str, Any]] = []
        self._known: dict[tuple[str, str, str, str], str] = {}
        self._nodes: dict[tuple[str, ...], list[dict[str, Any]]] = {(): self.branches}
        for item in draft.affected:
            for bounds in item.ranges:
                self._add(item, "product_version_range", vers(item, bounds), self.affected)
            for version in item.versions:
                self._add(item, "product_version", version, self.affected)
            for version in sorted(item.fixes):
                self._add(item, "product_version", version, self.fixed)

    def _add(self, item: Affected, category: str, version: str, status: list[str]) -> None:
        known = (item.vendor, item.product, category, version)
        if known in self._known:
            return
        product_id = self._known[known] = f"CSAFPID-{len(self._known) + 1:04d}"
        product: dict[str, Any] = {
            "name": f"{item.vendor} {item.product} {version}",
            "product_id": product_id,
        }
        if item.purl:
            exact = f"{item.purl}@{quote(version, safe='')}"
            purl = exact if category == "product_version" else item.purl
            product["product_identification_helper"] = {"purl": purl}
        self._node((item.vendor, item.product)).append(
            {"category": category, "name": version, "product": product}
        )
        status.append(product_id)

    def _node(self, path: tuple[str, ...]) -> list[dict[str, Any]]:
        """Return the list of branches under `path`, made where it is missing."""
        if path not in self._nodes:
            category = ("vendor", "product_name")[len(path) - 1]
            below: list[dict[str, Any]] = []
            self._node(path[:-1]).append(
                {"category": category, "name": path[-1], "branches": below}
            )
            self._nodes[path] = below
        return self._nodes[path]


def vers(item: Affected, bounds: VersionRange) -> str:
    """Return a range as a vers string; its scheme is the purl's type, else `generic`."""
    scheme = item.purl[4:].split("/", 1)[0] if item.purl else "generic"
    parts = []
    if bounds.introduced != "0":
        parts.append(">=" + _vers_version(bounds.introduced))
    if bounds.fixed:
        parts.append("<" + _vers_version(bounds.fixed))
    if bounds.last:
        parts.append("<=" + _vers_version(bounds.last))
    return f"vers:{scheme}/" + ("|".join(parts) or "*")


def _vers_version(version: str) -> str:
    return quote(version, safe=".-_~+!:")
