"""Pulling a clearinghouse's index, by HTTPS or from a file carried by hand.

Rules:
- The peer's address is the one known here; no message names where to pull from.
- The statement must bear the peer's signature, the bytes its digest and size; nothing else is kept,
  and the refusal is recorded.
- An index older than the one in hand, or than the one announced, is refused.
- The index and the job that matches against it are kept in one transaction.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

import httpx
from django.db import transaction

from vedette.exchange.published_index import (
    INDEX_PATH,
    MAX_STATEMENT,
    RefusedIndex,
    Statement,
    read_statement,
)
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import BadInput, NotFound, VedetteError
from vedette.kernel.events import Event
from vedette.kernel.keys import PublicKeys
from vedette.kernel.markings import CLEAR
from vedette.kernel.permissions import Permission, Profile
from vedette.matching import delta
from vedette.matching.index import Index
from vedette.services import index as indexes
from vedette.services import outgoing
from vedette.services.acting import Actor, act, instance_actor
from vedette.services.here import here
from vedette.services.inbox import Arrival, handles
from vedette.services.jobs import job, schedule
from vedette.store.models import IndexBuild, Peer
from vedette.store.tenancy import SYSTEM, scoped

RETRY = timedelta(minutes=10)


class Unreachable(VedetteError):
    """The peer did not answer, or not with what was asked for; worth another try."""

    status = 502
    title = "peer unreachable"


@handles("index.published")
def on_published(arrival: Arrival) -> None:
    """Pull the announced index."""
    published = arrival.body["published"]
    arrival.doing.after(pull, peer=arrival.peer.keyid, published=published)


@job()
def pull(peer: str, published: str = "") -> None:
    """Pull a peer's newest index; tried again while the peer can't be reached. Idempotent."""
    not_before = parse_time(published, field="published") if published else None
    try:
        _pull(instance_actor(), peer, not_before)
    except Unreachable as error:
        schedule(f"pull {peer}", pull, here().clock.now() + RETRY, peer=peer, published=published)
        raise ConnectionError(str(error)) from None


def pull_index(actor: Actor, peer: str = "") -> IndexBuild:
    """Pull now, from the named clearinghouse or the only one. Raises Unreachable, RefusedIndex."""
    actor.require(Permission.INVENTORY_EDIT)
    return _pull(actor, clearinghouse_of(actor, peer).keyid, None)


def take_index(actor: Actor, envelope: bytes, data: bytes, peer: str = "") -> IndexBuild:
    """Take an index carried by hand: the signed statement and the index itself, as files."""
    actor.require(Permission.INVENTORY_EDIT)
    found = clearinghouse_of(actor, peer)
    try:
        return _take(actor, found, _read(found, envelope), data)
    except RefusedIndex as error:
        _record_refusal(actor, found, error)
        raise


def clearinghouse_of(actor: Actor, peer: str) -> Peer:
    """The clearinghouse of that name or key id, or the only one. Raises BadInput, NotFound."""
    _own(actor)
    with transaction.atomic(), scoped(SYSTEM):
        rows = list(Peer.objects.filter(profile=Profile.CLEARINGHOUSE).order_by("name"))
    rows = [row for row in rows if not peer or row.name == peer or row.keyid.startswith(peer)]
    if len(rows) != 1:
        raise BadInput(
            f"peer: {len(rows)} clearinghouses fit", next_step="vedette exchange peer list"
        )
    return rows[0]


def _own(actor: Actor) -> None:
    if here().profile != Profile.OPERATOR or not (actor.host or actor.system):
        raise NotFound("no such thing here")


def _pull(actor: Actor, keyid: str, not_before: datetime | None) -> IndexBuild:
    with transaction.atomic(), scoped(SYSTEM):
        peer = Peer.objects.get(keyid=keyid)
        held = IndexBuild.objects.filter(peer=peer, current=True).first()
    if not peer.url:
        raise BadInput(
            f"{peer.name} has no address here",
            next_step="take its index by hand, as the files that it exports",
        )
    try:
        with outgoing.client(60) as client:
            base = peer.url + INDEX_PATH
            statement = _read(peer, _get(client, base + "latest", MAX_STATEMENT))
            if not_before is not None and statement.built_at < not_before:
                raise RefusedIndex(
                    f"index: {peer.name} announced one of {format_time(not_before)} and serves"
                    f" one of {format_time(statement.built_at)}"
                )
            if held is not None and held.digest == statement.digest:
                return held
            data = _content(client, base + statement.digest, statement, held)
        return _take(actor, peer, statement, data)
    except RefusedIndex as error:
        _record_refusal(actor, peer, error)
        raise


def _content(
    client: httpx.Client, url: str, statement: Statement, held: IndexBuild | None
) -> bytes:
    """The index's bytes: by what changed since the one held where the peer has that, else whole."""
    if held is not None and held.data:
        with suppress(Unreachable, RefusedIndex, BadInput):
            changes = _get(client, f"{url}?since={held.digest}", statement.size)
            data = delta.apply(bytes(held.data), changes, statement.size)
            if statement.holds_for(data):
                return data
    return _get(client, url, statement.size)


def _get(client: httpx.Client, url: str, limit: int) -> bytes:
    """Fetch at most `limit` bytes. Raises Unreachable, and RefusedIndex for more than that."""
    content = bytearray()
    try:
        with client.stream("GET", url) as answer:
            if answer.status_code != 200:
                raise Unreachable(
                    f"{url} answered HTTP {answer.status_code}", kept="the index here"
                )
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > limit:
                    raise RefusedIndex(f"{url}: more than the {limit:,} bytes that were stated")
    except httpx.HTTPError as error:
        raise Unreachable(
            f"{url} can't be reached ({type(error).__name__})",
            kept="the index here",
            next_step="try again, or take the index by hand",
        ) from None
    return bytes(content)


def _read(peer: Peer, envelope: bytes) -> Statement:
    """Read a statement that bears the peer's signature. Raises RefusedIndex."""
    return read_statement(envelope, PublicKeys(peer.ed25519, peer.age), peer.name)


def _take(actor: Actor, peer: Peer, statement: Statement, data: bytes) -> IndexBuild:
    if not statement.holds_for(data):
        raise RefusedIndex(
            f"index: its bytes do not have the digest that {peer.name} signed",
            kept="the index here",
            next_step="pull it again",
        )
    try:
        count = sum(1 for _ in Index(data, "index"))
    except BadInput as error:
        raise RefusedIndex(error.what, kept="the index here") from None
    with act(instance_actor(), None) as doing:
        held = IndexBuild.objects.select_for_update().filter(peer=peer, current=True).first()
        if held is not None and held.digest == statement.digest:
            return held
        if held is not None and held.built_at > statement.built_at:
            raise RefusedIndex(
                f"index: of {format_time(statement.built_at)}, older than the one in hand"
                f" ({format_time(held.built_at)})",
                kept="the index here",
            )
        row = indexes.keep(doing, data, peer, count, statement.built_at)
        doing.record(
            Event.INDEX_INDEX_PULLED,
            row.id,
            {"digest": row.digest, "peer": peer.keyid, "by": actor.name},
            marking=str(CLEAR),
        )
        return row


def _record_refusal(actor: Actor, peer: Peer, error: RefusedIndex) -> None:
    with act(instance_actor(), None) as doing:
        doing.record(
            Event.INDEX_INDEX_REFUSED,
            peer.keyid[:16],
            {"reason": error.what, "by": actor.name},
            marking=str(CLEAR),
        )
