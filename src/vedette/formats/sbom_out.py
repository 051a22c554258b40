"""Components as a CycloneDX 1.6 JSON SBOM, the same bytes for the same components."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from typing import Any

from vedette import __version__
from vedette.matching import names
from vedette.matching.model import Component

_NAMESPACE = uuid.UUID("8f7a3a5e-6c0e-5d6b-9f0a-3a1f4f0f6c21")


def sbom(components: Iterable[Component], subject: str) -> dict[str, Any]:
    """Return the SBOM of `subject`; its serial number is derived from the content."""
    unique = {component.id: component for component in components}
    rows = [_row(unique[identifier]) for identifier in sorted(unique)]
    described = {"type": "device", "bom-ref": f"host:{subject}", "name": subject}
    content = json.dumps([described, rows], sort_keys=True)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, content)}",
        "version": 1,
        "metadata": {
            "component": described,
            "tools": {
                "components": [{"type": "application", "name": "vedette", "version": __version__}]
            },
        },
        "components": rows,
    }


def _row(component: Component) -> dict[str, Any]:
    package = names.from_purl(component.purl) if component.purl else None
    deb = package is not None and package.scheme == "deb"
    row = {
        "type": "library" if component.purl and not deb else "application",
        "bom-ref": component.id,
        "name": component.name,
        "version": component.version,
        "purl": component.purl,
        "cpe": component.cpe,
    }
    return {name: value for name, value in row.items() if value}
