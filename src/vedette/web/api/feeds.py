"""Feeds of the index: what they gave, and more of them."""

from __future__ import annotations

from typing import Any

from ninja import Schema

from vedette.services import feed_files
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.inventories import RAW

router = Router(tags=["feeds"])


class SourceOut(Schema):
    source: str
    records: int
    broken: int
    newest: str


class FolderOut(Schema):
    folder: str
    is_there: bool
    sources: list[str]


class TakenOut(Schema):
    accepted: int
    updated: int
    already_known: int
    broken: int
    vex: int
    kev: int | None
    epss: int | None
    index: str
    advisories: int
    problems: list[str]


class TakingOut(Schema):
    id: str
    what: str
    by: str
    began_at: str
    ended_at: str
    result: TakenOut
    error: str


class FeedsOut(Schema):
    sources: list[SourceOut]
    folder: FolderOut | None
    takings: list[TakingOut]


@router.get(
    "/feeds", response=FeedsOut, operation_id="listFeeds", summary="What feeds gave, by source"
)
def read(request: Asked) -> Any:
    """`folder` is that of the setting `feeds`, null where none is set."""
    actor = request.auth
    return {
        "sources": feed_files.kept(actor),
        "folder": feed_files.folder(actor),
        "takings": feed_files.takings(actor),
    }


@router.post(
    "/feeds",
    response=TakenOut,
    operation_id="takeFeed",
    summary="Take a file of feeds, as the body",
    openapi_extra=RAW,
)
def take(request: Asked, source: str, name: str = "") -> Any:
    """A zip or tar of OSV, CVE, CSAF or VEX, a list or one record of these, KEV, or EPSS.

    Null `kev` and `epss`: the file has none, or the one that is here.
    """
    return feed_files.take_file(request.auth, source, name, [request.body]).to_json()


@router.post(
    "/feeds/bring",
    response={202: dict[str, bool]},
    operation_id="bringFeeds",
    summary="Have the folder of the setting synced and taken now",
)
def bring(request: Asked) -> Any:
    feed_files.bring_now(request.auth)
    return 202, {"queued": True}
