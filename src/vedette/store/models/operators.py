"""An operator's inventories, the notices that touch them, and its answers."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.models.exchange import Peer
from vedette.store.tenancy import Mandated, Table, Tenancy

# the acts of a mandate, as clearinghouse.mandates.MandateAct names them
READ, KEEP, ANSWER = "read-notices", "keep-inventories", "answer-notices"
STATE = "state-vex"


class Inventory(Table):
    """What an operator runs. Its owner alone sees it, on whichever instance it is kept, and whom
    it gave a mandate.

    Earlier takings of the same name stay; `current` is the newest. `statements` counts the VEX
    statements in it, `matched_with` names the indexes that its notices rest on, by digest. `site`
    is where it is run, as mandates count: its name, unless somebody says more.
    """

    tenancy = Tenancy(mandated=Mandated("site", (READ, KEEP, ANSWER, STATE), (KEEP,)))

    id = columns.random_key("inventory")
    org = columns.owner()
    name = models.CharField(max_length=200)
    site = columns.text(200)
    format = columns.text(40)
    data = models.BinaryField()
    digest = models.CharField(max_length=71)
    components = models.IntegerField(default=0)
    problems = models.JSONField(default=list, blank=True)
    exposed = models.BooleanField(default=False)
    current = models.BooleanField(default=True)
    statements = models.IntegerField(default=0)
    matched_with = columns.long_text()
    taken_at = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["org", "name"],
                condition=models.Q(current=True),
                name="one_current_inventory_a_name",
            )
        ]


class HeldName(Table):
    """What of a current inventory is known by one key of matching, by the key's code.

    `components` holds them with their places, so that one advisory is matched without reading
    inventories; several that bear one id stand together.
    """

    tenancy = Tenancy()

    org = columns.unsearched_owner()
    inventory = models.ForeignKey(
        Inventory, on_delete=models.CASCADE, related_name="names", db_index=False
    )
    code = models.BigIntegerField(db_index=True)
    components = models.JSONField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["inventory", "code"], name="one_row_a_held_name")
        ]


class Notice(Table):
    """One advisory that touches one inventory, with its deadline and the operator's answer.

    `inventory` is the taking in which it was last found, `also` names the other records of the
    same vulnerability, `facts` holds what the deadline rests on, `evidence` what matching showed
    of the answer; `batch` is the answer to several notices that the present one came with, and
    `earlier` what it took the place of. `site` is the inventory's, `mandate` that under which a
    delegate gave the answer.
    """

    tenancy = Tenancy(mandated=Mandated("site", (READ, ANSWER), (ANSWER,)))

    id = columns.random_key("notice")
    org = columns.owner()
    site = columns.text(200)
    inventory = models.ForeignKey(Inventory, on_delete=models.PROTECT, related_name="notices")
    advisory = models.CharField(max_length=100, db_index=True)
    title = columns.text(300)
    also = models.JSONField(default=list, blank=True)
    matches = models.JSONField(default=list)
    remedy = columns.text(71)
    facts = columns.document()
    naive = columns.text(300)
    verdict = models.CharField(max_length=20)
    row = columns.text(20)
    deadline = models.DateField(null=True, blank=True)
    forensics = models.BooleanField(default=False)
    rank = models.IntegerField(default=0)
    pack_digest = columns.text(71)
    state = models.CharField(max_length=20, default="unanswered")
    control = columns.long_text()
    expires_at = columns.moment()
    evidence = columns.document()
    batch = columns.text(40)
    earlier = columns.document()
    answered_by = columns.text(300)
    mandate = columns.text(40)
    marking = columns.marking("TLP:AMBER")
    sent_at = models.DateTimeField()
    answered_at = columns.moment()
    verified_at = columns.moment()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["inventory", "advisory"], name="one_notice_an_advisory_and_inventory"
            )
        ]


class NoticeName(Table):
    """One name of a notice's records: an id, an alias, or what a correction corrects."""

    tenancy = Tenancy()

    org = columns.unsearched_owner()
    notice = models.ForeignKey(
        Notice, on_delete=models.CASCADE, related_name="names", db_index=False
    )
    name = models.CharField(max_length=200, db_index=True)

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["notice", "name"], name="one_row_a_notices_name")
        ]


class AssetMark(Table):
    """How far one asset of a notice is, where its operator says so for that asset alone."""

    tenancy = Tenancy(mandated=Mandated("site", (READ, ANSWER), (ANSWER,)))

    org = columns.owner()
    site = columns.text(200)
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="marks")
    component = models.TextField()
    status = models.CharField(max_length=20)
    by = columns.text(300)
    at = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["notice", "component"], name="one_mark_an_asset")
        ]


class VexDocument(Table):
    """What an operator, or somebody for it, states of vulnerabilities in its assets.

    One of a `feed` belongs to the host and takes nothing away by itself: see HonouredFeed. `author`
    is whom the document names as such, `about` the vulnerabilities that it speaks of, `site` the
    one that it is limited to; `public` shows a feed's documents to those whom a
    clearinghouse hosts.
    """

    tenancy = Tenancy(public="public", mandated=Mandated("site", (READ, STATE), (STATE,)))

    id = columns.random_key("vex")
    org = columns.owner()
    name = models.CharField(max_length=200)
    data = models.BinaryField()
    digest = models.CharField(max_length=71)
    statements = models.IntegerField()
    site = columns.text(200)
    author = columns.text(200)
    feed = columns.text(200)
    about = models.JSONField(default=list, blank=True)
    public = models.BooleanField(default=False)
    mandate = columns.text(40)
    taken_by = columns.text(300)
    taken_at = models.DateTimeField()
    withdrawn_at = columns.moment()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["org", "feed", "site", "name"],
                condition=models.Q(withdrawn_at=None),
                name="one_standing_vex_document_a_name",
            )
        ]


class HonouredFeed(Table):
    """Whether an organisation honours what the VEX documents of a feed state."""

    tenancy = Tenancy()

    id = columns.random_key("honoured")
    org = columns.owner()
    feed = models.CharField(max_length=200)
    honoured = models.BooleanField()
    by = columns.text(200)
    at = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["org", "feed"], name="one_word_on_a_feed")
        ]


class SaidName(Table):
    """Whether an asset of an organisation is the product that advisories name so, as was said.

    `mandate` is that under which a delegate said it, `site` the one that it counts at, "" for all.
    """

    tenancy = Tenancy(mandated=Mandated("site", (READ, STATE), (STATE,)))

    id = columns.random_key("said")
    org = columns.owner()
    site = columns.text(200)
    ours = models.CharField(max_length=300)
    theirs = models.CharField(max_length=300)
    same = models.BooleanField()
    mandate = columns.text(40)
    by = columns.text(300)
    at = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["org", "site", "ours", "theirs"], name="one_word_on_two_names"
            )
        ]


class Suppression(Table):
    """A match that a VEX statement takes away, or took away until it was lifted."""

    tenancy = Tenancy(mandated=Mandated("site", (READ, STATE), (STATE,)))

    id = columns.random_key("suppressed")
    org = columns.owner()
    inventory = models.CharField(max_length=200)
    site = columns.text(200)
    component = models.TextField()
    advisory = models.CharField(max_length=200)
    product = columns.text(300)
    version = columns.text(200)
    status = models.CharField(max_length=20)
    reason = columns.long_text()
    source = columns.text(300)
    lifted_at = columns.moment()
    lifted_by = columns.text(300)

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["org", "inventory", "component", "advisory"], name="one_row_a_suppression"
            )
        ]


class OperatorAnswer(Table):
    """What an operator chose to tell the clearinghouse of one advisory."""

    tenancy = Tenancy(host=True)

    org = columns.owner()
    peer = models.ForeignKey(Peer, null=True, blank=True, on_delete=models.PROTECT)
    operator = models.CharField(max_length=200)
    notice = models.CharField(max_length=40)
    advisory = models.CharField(max_length=100, db_index=True)
    state = models.CharField(max_length=20)
    control = columns.long_text()
    expires_at = columns.moment()
    delegate = columns.text(200)
    answered_at = models.DateTimeField()
    received_at = models.DateTimeField()
