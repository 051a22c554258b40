"""An operator's matches by document, product and asset, marks of assets, and matching by hand."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from vedette.services import asset_matches
from vedette.services.asset_matches import Asset, Line
from vedette.web.api.idempotency import Asked, Router

router = Router(tags=["matches"])


class AssetName(Schema):
    inventory: str = Field(max_length=200)
    component: str = Field(max_length=4096, description="the inventory's own id")


class MatchLine(Schema):
    notice: str
    title: str
    document: str
    revision: str
    product: str
    version: str
    asset: AssetName
    fixed: list[str]
    verdict: str
    confidence: str
    reason: str
    status: str
    marked: bool


class MatchEntry(Schema):
    key: str | AssetName
    counts: dict[str, int]
    matches: list[MatchLine]


class MatchStatisticsOut(Schema):
    assets: int
    by_status: dict[str, int]


class MatchAgainIn(Schema):
    documents: list[str] = Field(default_factory=list, max_length=100)
    assets: list[AssetName] = Field(default_factory=list, max_length=100)


class MatchAgainOut(Schema):
    asked: list[str]


class AssetMarkIn(Schema):
    components: list[str] = Field(min_length=1, max_length=500)
    status: Literal["not-remediated", "in-progress", "done", ""]


@router.get(
    "/matches",
    response=list[MatchEntry],
    operation_id="listMatches",
    summary="Own matches by document, product or asset",
)
def list_matches(request: Asked, by: Literal["document", "product", "asset"] = "document") -> Any:
    """Those with the most assets to do first."""
    found = asset_matches.entries(asset_matches.lines(request.auth), by)
    return [
        {
            "key": asdict(each.key) if isinstance(each.key, Asset) else each.key,
            "counts": each.counts,
            "matches": [_line(line) for line in each.lines],
        }
        for each in found
    ]


def _line(line: Line) -> dict[str, Any]:
    return {**asdict(line), "status": str(line.status)}


@router.get(
    "/matches/statistics",
    response=MatchStatisticsOut,
    operation_id="readMatchStatistics",
    summary="How many assets match, and how many stand where",
)
def statistics(request: Asked, document: str = "") -> Any:
    """Of one document, or of all; each asset counts at its least advanced status."""
    lines = asset_matches.lines(request.auth)
    counts = asset_matches.statistics(
        line for line in lines if not document or line.document == document
    )
    return {"assets": counts.pop("assets"), "by_status": counts}


@router.post(
    "/matches/again",
    response=MatchAgainOut,
    operation_id="matchAgain",
    summary="Match documents or assets anew by hand",
)
def again(request: Asked, body: MatchAgainIn) -> Any:
    assets = [Asset(one.inventory, one.component) for one in body.assets]
    return {"asked": asset_matches.match_again(request.auth, body.documents, assets)}


@router.post(
    "/notices/{notice_id}/assets",
    response=list[MatchLine],
    operation_id="markAssets",
    summary="Mark how far single assets of a notice are",
)
def mark(request: Asked, notice_id: str, body: AssetMarkIn) -> Any:
    """The empty status takes a mark back: then the answer to the notice counts."""
    asset_matches.mark_assets(request.auth, notice_id, body.components, body.status)
    lines = asset_matches.lines(request.auth)
    return [_line(line) for line in lines if line.notice == notice_id]
