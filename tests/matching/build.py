"""Small advisories and inventories for the tests of the match."""

from __future__ import annotations

from typing import Any

from vedette.formats import osv_in
from vedette.matching.model import Advisory, Component, Inventory


def osv(identifier: str, package: str, events: list[dict[str, str]], **more: Any) -> Advisory:
    """Return an OSV record of one PyPI package, read by the reader."""
    affected = {
        "package": {"ecosystem": more.pop("ecosystem", "PyPI"), "name": package},
        "ranges": [{"type": "ECOSYSTEM", "events": events}] if events else [],
        "versions": more.pop("versions", []),
    }
    record = {"id": identifier, "modified": "2026-01-01T00:00:00Z", "affected": [affected]}
    return osv_in.read(record | more, identifier)


def inventory(*purls: str, name: str = "inv.json") -> Inventory:
    return Inventory(name, tuple(Component(id=purl, purl=purl) for purl in purls))


def assets(*rows: dict[str, str], name: str = "site.csv") -> Inventory:
    components = (Component(**({"id": f"row:{n}"} | row)) for n, row in enumerate(rows, 1))
    return Inventory(name, tuple(components))
