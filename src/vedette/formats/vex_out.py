"""Advisory draft → OpenVEX document: which products are affected, which are fixed, what to do.

Source: OpenVEX Specification 0.2.0.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from vedette.formats.advisory import AdvisoryDraft, Affected
from vedette.formats.csaf_out import vers
from vedette.kernel.clock import format_time

CONTEXT = "https://openvex.dev/ns/v0.2.0"


def filename(draft: AdvisoryDraft) -> str:
    return f"{draft.id}.openvex.json"


def render(draft: AdvisoryDraft) -> dict[str, Any]:
    """Return the draft as an OpenVEX document."""
    affected = [p for item in draft.affected for p in _affected(item)]
    fixed = [_exact(item, v) for item in draft.affected for v in sorted(item.fixes)]
    statements = [
        {
            "vulnerability": _vulnerability(draft),
            "products": _unique(affected),
            "status": "affected",
            "action_statement": draft.remedy_text,
        }
    ]
    if fixed:
        statements.append(
            {
                "vulnerability": _vulnerability(draft),
                "products": _unique(fixed),
                "status": "fixed",
            }
        )
    return {
        "@context": CONTEXT,
        "@id": f"{draft.publisher.namespace.rstrip('/')}/vex/{quote(draft.id)}",
        "author": draft.publisher.name,
        "role": draft.publisher.category,
        "timestamp": format_time(draft.published),
        "last_updated": format_time(draft.modified),
        "version": draft.revisions[-1].number,
        "tooling": "Vedette",
        "statements": statements,
    }


def _vulnerability(draft: AdvisoryDraft) -> dict[str, Any]:
    vulnerability: dict[str, Any] = {"name": draft.id, "description": draft.summary}
    if draft.other_names:
        vulnerability["aliases"] = list(draft.other_names)
    return vulnerability


def _affected(item: Affected) -> list[dict[str, Any]]:
    exact = [_exact(item, version) for version in item.versions]
    name = item.purl or _urn(item)
    ranges = [f"{name}?vers={quote(vers(item, b), safe='')}" for b in item.ranges]
    return exact + [{"@id": r, **_identifiers(item, r)} for r in ranges]


def _exact(item: Affected, version: str) -> dict[str, Any]:
    name = f"{item.purl or _urn(item)}@{quote(version, safe='')}"
    return {"@id": name, **_identifiers(item, name)}


def _identifiers(item: Affected, name: str) -> dict[str, Any]:
    return {"identifiers": {"purl": name}} if item.purl else {}


def _urn(item: Affected) -> str:
    return f"urn:vedette:product:{quote(item.vendor, safe='')}:{quote(item.product, safe='')}"


def _unique(products: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({product["@id"]: product for product in products}.values())
