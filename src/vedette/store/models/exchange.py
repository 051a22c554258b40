"""Peers, and what went to and came from them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.tenancy import Table, Tenancy

OUTLIVING = ("custody.", "reading.")


def about_act(type_: str, thread: str) -> str:
    """The act that a message is about; what tells of destruction itself has to outlive it."""
    return "" if type_.startswith(OUTLIVING) or not thread.startswith("act-") else thread


class Peer(Table):
    """Another instance, by its signing key."""

    tenancy = Tenancy(host=True)

    keyid = models.CharField(max_length=64, primary_key=True)
    org = columns.owner()
    name = models.CharField(max_length=200)
    profile = models.CharField(max_length=20)
    url = columns.text(500)
    ed25519 = models.CharField(max_length=64)
    age = models.CharField(max_length=100)
    added_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class OutMessage(Table):
    """A message to a peer: queued in the act's own transaction, then delivered by a job or file."""

    tenancy = Tenancy(host=True)
    sealed_lookup = "thread"

    id = models.CharField(primary_key=True, max_length=40)
    org = columns.owner()
    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="sent")
    type = models.CharField(max_length=60)
    thread = columns.text(40, db_index=True)
    marking = columns.marking()
    envelope = columns.sealed_text("about_act")
    state = models.CharField(max_length=20, default="queued", db_index=True)
    attempts = models.IntegerField(default=0)
    next_attempt_at = columns.moment()
    answer = columns.text(500)
    queued_at = models.DateTimeField()
    delivered_at = columns.moment()

    @property
    def about_act(self) -> str:
        """The act under whose key the envelope is sealed, "" for none."""
        return about_act(self.type, self.thread)


class InMessage(Table):
    """A message from a peer, kept with what became of it."""

    tenancy = Tenancy(host=True)
    sealed_lookup = "thread"

    org = columns.owner()
    message_id = models.CharField(max_length=40, db_index=True)
    sender = models.CharField(max_length=64)
    type = columns.text(60)
    thread = columns.text(40, db_index=True)
    marking = columns.marking()
    digest = models.CharField(max_length=71)
    envelope = columns.sealed_text("about_act")
    state = models.CharField(max_length=20, db_index=True)
    reason = columns.text(1000)
    received_at = models.DateTimeField()
    handled_at = columns.moment()

    @property
    def about_act(self) -> str:
        """The act under whose key the envelope is sealed, "" for none."""
        return about_act(self.type, self.thread)

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["message_id", "sender"],
                condition=~models.Q(state="refused"),
                name="a_message_is_taken_once",
            )
        ]
