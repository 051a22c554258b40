"""Inventories, and the index of advisories that they are matched against."""

from __future__ import annotations

import json
from typing import Any

from ninja import Schema
from pydantic import Field

from vedette.kernel.bounds import from_text
from vedette.services import index, inventories, pulls, scores, sources
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.kinds import Name

router = Router(tags=["inventories"])
RAW = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class InventoryIn(Schema):
    name: Name
    data: str = Field(description="the inventory as base64")
    exposed: bool = Field(False, description="publicly reachable, unless an asset says otherwise")
    site: str = Field("", max_length=200, description="where it runs: else as before, or its name")


class InventoryOut(Schema):
    id: str
    name: str
    site: str
    format: str
    digest: str
    components: int
    problems: list[str]
    exposed: bool
    current: bool
    taken_at: str


class IndexOut(Schema):
    id: str
    digest: str
    size: int
    advisories: int
    current: bool
    pulled_from: str
    built_at: str


class PullIn(Schema):
    peer: str = Field("", max_length=200, description="where there is more than one")


class CarriedIn(PullIn):
    envelope: dict[str, Any] = Field(description="what /index/v1/latest answered")
    data: str = Field(description="the index as base64")


class RecordsOut(Schema):
    accepted: int
    updated: int
    already_known: int
    problems: list[dict[str, str]]


@router.get(
    "/inventories",
    response=list[InventoryOut],
    operation_id="listInventories",
    summary="Own inventories, newest first",
)
def list_inventories(request: Asked, history: bool = False) -> Any:
    return inventories.inventories(request.auth, history=history)


@router.post(
    "/inventories",
    response=InventoryOut,
    operation_id="takeInventory",
    summary="Take an inventory",
)
def take(request: Asked, body: InventoryIn) -> Any:
    """CycloneDX, SPDX or asset CSV. A new taking of a name replaces the earlier one."""
    data = from_text(body.data, field="data")
    row = inventories.take_inventory(
        request.auth, body.name, data, exposed=body.exposed, site=body.site
    )
    return inventories.describe(row)


@router.post(
    "/inventories/by-site",
    response=list[InventoryOut],
    operation_id="takeInventoryBySite",
    summary="Take an asset list as one inventory a site, the file as the body",
    openapi_extra=RAW,
)
def take_by_site(request: Asked, name: str, exposed: bool = False) -> Any:
    """For a CSV with a column for the site. A site that a newer list no longer names is empty."""
    rows = inventories.take_by_site(request.auth, name, request.body, exposed=exposed)
    return [inventories.describe(row) for row in rows]


@router.post(
    "/inventories/file",
    response=InventoryOut,
    operation_id="takeInventoryFile",
    summary="Take an inventory, the file itself as the body",
    openapi_extra=RAW,
)
def take_file(request: Asked, name: str, exposed: bool = False, site: str = "") -> Any:
    row = inventories.take_inventory(request.auth, name, request.body, exposed=exposed, site=site)
    return inventories.describe(row)


@router.get(
    "/inventories/{inventory_id}",
    response=InventoryOut,
    operation_id="readInventory",
    summary="One inventory",
)
def read(request: Asked, inventory_id: str) -> Any:
    return inventories.describe(inventories.inventory(request.auth, inventory_id))


@router.post(
    "/index/records",
    response=RecordsOut,
    operation_id="importAdvisories",
    summary="Take records of a public database, as the body",
    openapi_extra=RAW,
)
def take_records(request: Asked, source: str) -> Any:
    """OSV, CSAF or CVE: one record, a JSON list, JSON Lines, or a zip of files."""
    return sources.import_advisories(request.auth, request.body, source).to_json()


@router.post(
    "/index/kev",
    response=dict[str, int],
    operation_id="importKev",
    summary="Take the KEV catalogue, as the body",
    openapi_extra=RAW,
)
def take_catalogue(request: Asked) -> Any:
    """CISA's catalogue of known exploited vulnerabilities, as JSON; it replaces the one here."""
    return {"listed": sources.import_kev(request.auth, request.body)}


@router.post(
    "/index/epss",
    response=dict[str, int],
    operation_id="importEpss",
    summary="Take EPSS scores, as the body",
    openapi_extra=RAW,
)
def take_scores(request: Asked) -> Any:
    """FIRST's CSV, plain or gzipped; it replaces the scores here. Shown, and moves no deadline."""
    return {"scores": scores.import_epss(request.auth, request.body)}


@router.get(
    "/index", response=list[IndexOut], operation_id="listIndexes", summary="Indexes, newest first"
)
def list_indexes(request: Asked) -> Any:
    return index.builds(request.auth)


@router.post("/index", response=IndexOut, operation_id="buildIndex", summary="Build the index")
def build(request: Asked) -> Any:
    """Unchanged content is the same index, and nobody is told again."""
    return index.describe(index.build_index(request.auth))


@router.post(
    "/index/pull", response=IndexOut, operation_id="pullIndex", summary="Pull the index now"
)
def pull(request: Asked, body: PullIn) -> Any:
    return index.describe(pulls.pull_index(request.auth, body.peer))


@router.post(
    "/index/carried",
    response=IndexOut,
    operation_id="takeIndex",
    summary="Take an index that was carried by hand",
)
def carried(request: Asked, body: CarriedIn) -> Any:
    envelope = json.dumps(body.envelope).encode()
    data = from_text(body.data, field="data")
    return index.describe(pulls.take_index(request.auth, envelope, data, body.peer))
