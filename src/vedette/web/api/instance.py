"""Who I am here, the ledger, the peers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Query, Schema

from vedette.kernel.permissions import Permission
from vedette.services import attachment_views, ledgers, messages, peers
from vedette.services.here import here
from vedette.web.api.idempotency import Asked, Router
from vedette.web.api.paging import Page, Paging, page_of

router = Router(tags=["instance"])


class MeOut(Schema):
    name: str
    organisation: str
    role: str
    permissions: list[str]
    host: bool
    instance: str
    profile: str
    now: str
    simulated: bool


class EntryOut(Schema):
    seq: int
    hash: str
    prev: str
    event: str
    time: str
    simulated: bool
    org: str
    role: str
    object_id: str
    marking: str
    message_id: str
    payload_digest: str
    pack_digest: str


class PeerOut(Schema):
    name: str
    profile: str
    url: str
    keyid: str


@router.get("/me", response=MeOut, operation_id="readMe", summary="Who I am here")
def me(request: Asked) -> Any:
    actor = request.auth
    instance = here()
    return {
        "name": actor.name,
        "organisation": actor.org,
        "role": actor.role,
        "permissions": sorted(actor.permissions),
        "host": actor.host,
        "instance": instance.name,
        "profile": str(instance.profile),
        "now": instance.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "simulated": instance.clock.simulated,
    }


@router.get(
    "/ledger",
    response=Page[EntryOut],
    operation_id="listLedger",
    summary="Ledger entries, newest first",
)
def list_ledger(request: Asked, paging: Query[Paging]) -> Any:
    actor = request.auth
    actor.require(Permission.LEDGER_READ)
    rows, _ = ledgers.browse()
    fields = list(EntryOut.model_fields)
    return page_of(rows, paging, lambda row: {name: getattr(row, name) for name in fields})


@router.get("/peers", response=list[PeerOut], operation_id="listPeers", summary="Peers")
def list_peers(request: Asked) -> Any:
    return peers.peers(request.auth)


class AttachmentOut(Schema):
    id: str
    direction: str
    peer: str
    name: str
    media_type: str
    size: int
    digest: str
    marking: str
    about: str
    message: str
    state: str
    reason: str
    chunks: int
    missing: int
    at: str


@router.get(
    "/attachments",
    response=list[AttachmentOut],
    operation_id="listAttachments",
    summary="Files that came and went with messages, newest first",
)
def list_attachments(request: Asked, about: Annotated[str, Query(max_length=40)] = "") -> Any:
    return attachment_views.list_attachments(request.auth, about)


class MessageLine(Schema):
    direction: str
    id: str
    type: str
    peer: str
    state: str
    why: str
    marking: str
    at: datetime


@router.get(
    "/messages",
    response=list[MessageLine],
    operation_id="listMessages",
    summary="What crossed, newest first",
)
def list_messages(request: Asked, limit: Annotated[int, Query(ge=1, le=1000)] = 200) -> Any:
    return [vars(message) for message in messages.list_messages(request.auth, limit)]
