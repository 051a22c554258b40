"""Peers: whose keys this instance knows."""

from __future__ import annotations

from typing import Any

from vedette.exchange.card import Card
from vedette.kernel.errors import BadInput
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission
from vedette.services import outbox, transfers
from vedette.services.acting import Actor, act, reading
from vedette.services.here import here
from vedette.store.models import Peer


def add_peer(actor: Actor, card: Card) -> Peer:
    """Take another instance's card; the same key again brings its name and address up to date."""
    if card.keys.keyid == here().keys.public.keyid:
        raise BadInput("card: it is this instance's own", next_step="ask the other side for theirs")
    with act(actor, Permission.INSTANCE_ADMINISTER) as doing:
        if Peer.objects.filter(name=card.name).exclude(keyid=card.keys.keyid).exists():
            raise BadInput(
                f"card.name: another key goes by {card.name[:60]!r} here",
                next_step="compare fingerprints by voice before you go on",
            )
        before = Peer.objects.filter(keyid=card.keys.keyid).values_list("url", flat=True).first()
        peer, _ = Peer.objects.update_or_create(
            keyid=card.keys.keyid,
            defaults={
                "org_id": here().org,
                "name": card.name,
                "profile": str(card.profile),
                "url": card.url.rstrip("/"),
                "ed25519": card.keys.ed25519,
                "age": card.keys.age,
                "added_at": doing.now,
            },
        )
        doing.record(Event.INSTANCE_PEER_ADDED, peer.keyid[:16], {"card": card.to_json()})
        if before is not None and before != peer.url:
            outbox.retry(peer)
            transfers.retry(peer.keyid)
        return peer


def peers(actor: Actor) -> list[dict[str, Any]]:
    """Every peer, as JSON."""
    with reading(actor):
        return [
            {"name": p.name, "profile": p.profile, "url": p.url, "keyid": p.keyid}
            for p in Peer.objects.order_by("name")
        ]
