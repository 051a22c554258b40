"""Peers, and what went to and came from them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.tenancy import Table, Tenancy

OUTLIVING = ("consultation.destr", "consultation.hold", "custody.", "reading.")


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
    # a delivery is on its way: what is queued before it starts needs no other
    called = models.BooleanField(default=False)
    # what its last account of both sides' messages said (see services.syncing)
    compared = columns.document()
    compared_at = columns.moment()

    def __str__(self) -> str:
        return self.name


class OutMessage(Table):
    """A message to a peer: queued in the act's own transaction, then delivered by a job or file.

    States: queued, carried (in a file, no receipt yet), given-up (for now), delivered, refused.
    """

    tenancy = Tenancy(host=True)
    sealed_lookup = "thread"

    id = models.CharField(primary_key=True, max_length=40)
    org = columns.owner()
    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="sent")
    type = models.CharField(max_length=60)
    thread = columns.text(40, db_index=True)
    marking = columns.marking()
    digest = columns.text(71)
    envelope = columns.sealed_text("about_act")
    state = models.CharField(max_length=20, default="queued", db_index=True)
    carry = columns.text(40)
    attempts = models.IntegerField(default=0)
    next_attempt_at = columns.moment()
    answer = columns.text(500)
    queued_at = models.DateTimeField()
    delivered_at = columns.moment()

    @property
    def about_act(self) -> str:
        """The act under whose key the envelope is sealed, "" for none."""
        return about_act(self.type, self.thread)

    class Meta(Table.Meta):
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["peer", "state", "queued_at", "id"], name="out_to_deliver"),
            models.Index(fields=["peer", "state", "id", "digest", "type"], name="out_sums"),
        ]


class InMessage(Table):
    """A message from a peer, kept with what became of it.

    States: waiting (for what it is about), handled, set-aside (by a rule), not-understood (by this
    version), refused, pointer (to what is marked above the ceiling and was not written).
    """

    tenancy = Tenancy(host=True)
    sealed_lookup = "thread"

    org = columns.owner()
    message_id = models.CharField(max_length=40, db_index=True)
    sender = models.CharField(max_length=64)
    type = columns.text(60)
    version = models.IntegerField(default=1)
    thread = columns.text(40, db_index=True)
    marking = columns.marking()
    digest = models.CharField(max_length=71)
    envelope = columns.sealed_text("about_act")
    state = models.CharField(max_length=20, db_index=True)
    reason = columns.text(1000)
    unread = models.JSONField(default=list, blank=True)
    tries = models.IntegerField(default=0)
    try_at = columns.moment()
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
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["state", "try_at"], name="in_to_try"),
            models.Index(
                fields=["sender", "state", "message_id", "digest", "type"], name="in_sums"
            ),
        ]


class Awaiting(Table):
    """What a waiting message is about, so that it is tried again when that moves."""

    tenancy = Tenancy(host=True)

    org = columns.owner()
    message = models.ForeignKey(InMessage, on_delete=models.CASCADE, related_name="awaiting")
    subject = models.CharField(max_length=40, db_index=True)


class Attachment(Table):
    """A file that a message names: sent in chunks, or taken in and kept by its digest.

    States: outgoing ones are sending, sent, refused, given-up; incoming ones are expected, here,
    refused, pointer. One without a peer was handed in here, and is here.
    """

    tenancy = Tenancy(host=True)
    sealed_lookup = "about"

    id = columns.random_key("att")
    org = columns.owner()
    peer = models.ForeignKey(
        Peer, null=True, blank=True, on_delete=models.PROTECT, related_name="attachments"
    )
    outgoing = models.BooleanField()
    message_id = columns.text(40, db_index=True)
    about = columns.text(40, db_index=True)
    name = columns.sealed_text("about_act")
    media_type = columns.text(100)
    size = models.BigIntegerField()
    digest = models.CharField(max_length=71, db_index=True)
    marking = columns.marking()
    chunks = models.JSONField(default=list)
    state = models.CharField(max_length=20, db_index=True)
    reason = columns.text(500)
    attempts = models.IntegerField(default=0)
    made_at = models.DateTimeField()
    done_at = columns.moment()

    @property
    def other_side(self) -> Peer:
        """The instance that it goes to or came from; only what was handed in here has none."""
        assert self.peer is not None
        return self.peer

    @property
    def about_act(self) -> str:
        """The act under whose key name and content are sealed, "" for none."""
        return about_act("", self.about)
