"""Small records and inventories of the operators' tests; the ujson facts written anew."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from vedette.services.testing import START, Fixture
from vedette.store.models import Advisory
from vedette.store.tenancy import SYSTEM, scoped

CORRECTION = "x_vedette-7k2m9x4qwb3n8rtz"
PUBLIC = "PYSEC-2022-25"
CVE = "CVE-2021-45958"


def osv(
    identifier: str,
    fixed: str,
    *,
    package: str = "ujson",
    aliases: tuple[str, ...] = (),
    modified: str = "2026-01-01T00:00:00Z",
    **more: Any,
) -> dict[str, Any]:
    """An OSV record: every version of a PyPI package before `fixed` is affected."""
    events = [{"introduced": "0"}, {"fixed": fixed}]
    return {
        "id": identifier,
        "modified": modified,
        "aliases": list(aliases),
        "summary": f"{package}: a memory error",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": package},
                "ranges": [{"type": "ECOSYSTEM", "events": events}],
            }
        ],
        **more,
    }


def public_record() -> bytes:
    """What the public database says: 5.1.0 is fixed."""
    return json.dumps(osv(PUBLIC, "5.1.0", aliases=(CVE,))).encode()


def publish(
    house: Fixture,
    record: dict[str, Any],
    *,
    corrects: tuple[str, ...] = (),
    priority: dict[str, Any] | None = None,
    public: bool = True,
    marking: str = "TLP:CLEAR",
    at: datetime = START,
    csaf: dict[str, Any] | None = None,
) -> Advisory:
    """An advisory of the clearinghouse's own."""
    with scoped(SYSTEM):
        row, _ = Advisory.objects.update_or_create(
            tracking_id=record["id"],
            defaults={
                "org_id": house.here.org,
                "title": record["summary"],
                "osv": record,
                "csaf": csaf or {},
                "corrects": list(corrects),
                "priority": priority or {},
                "marking": marking,
                "public": public,
                "published_at": at,
            },
        )
    return row  # type: ignore[no-any-return]


def publish_correction(house: Fixture, **more: Any) -> Advisory:
    """What execution showed: 5.1.0 is affected, 5.2.0 is fixed."""
    record = osv(CORRECTION, "5.2.0", aliases=(CVE,), modified="2026-11-01T00:00:00Z")
    return publish(house, record, corrects=(PUBLIC,), **more)


def sbom(*purls: str) -> bytes:
    """A CycloneDX inventory; the name and version of each component come from its purl."""
    components = []
    for purl in purls:
        name, _, version = purl.rpartition("/")[2].partition("@")
        components.append({"bom-ref": purl, "name": name, "version": version, "purl": purl})
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}
    return json.dumps(document).encode()
