"""Scans that are registered, what their targets' makers wish, and test beds on offer."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.models.exchange import Peer
from vedette.store.models.findings import Finding
from vedette.store.tenancy import Table, Tenancy


class Targeted(Table):
    """Columns of whatever is about a product or package; the keys are for comparison."""

    tenancy = Tenancy(host=True)

    vendor = columns.text(300)
    product = columns.text(300)
    package = columns.text(500)
    product_key = columns.text(300, db_index=True)
    package_key = columns.text(500, db_index=True)

    class Meta(Table.Meta):
        abstract = True


class ScanIntent(Targeted):
    """One scan that somebody registered; `party` is the name under which it is known.

    On the instance where it was registered `sent_to` is the clearinghouse, `answer` its last word;
    on the clearinghouse `peer` is where it came from, `answer` what that peer was told last.
    """

    tenancy = Tenancy(host=True)

    id = columns.random_key("scan")
    org = columns.owner("scans")
    peer = models.ForeignKey(
        Peer, null=True, blank=True, on_delete=models.PROTECT, related_name="scans"
    )
    sent_to = models.ForeignKey(
        Peer, null=True, blank=True, on_delete=models.PROTECT, related_name="scans_sent"
    )
    party = models.CharField(max_length=200)
    behalf = columns.document()
    versions = models.JSONField(default=list, blank=True)
    method = models.CharField(max_length=60)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)
    ended_at = columns.moment()
    introduce = models.BooleanField(default=False)
    contact = columns.text(300)
    number = models.IntegerField(default=1)
    answer = columns.document()
    marking = columns.marking("TLP:AMBER+STRICT")
    registered_by = columns.text(200)
    registered_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.product or self.package


class ScanFinding(Table):
    """Which registered scan a finding came from."""

    tenancy = Tenancy(host=True)

    org = columns.owner()
    intent = models.ForeignKey(ScanIntent, on_delete=models.PROTECT, related_name="findings")
    finding = models.OneToOneField(Finding, on_delete=models.PROTECT, related_name="scan")


class ScanWish(Targeted):
    """What a product's maker wishes of whoever scans it; without hours it always holds."""

    tenancy = Tenancy(host=True)

    id = columns.random_key("wish")
    org = columns.owner()
    kind = models.CharField(max_length=60)
    text = columns.long_text()
    contact = columns.text(300)
    starts_at = columns.moment()
    ends_at = columns.moment()
    withdrawn_at = columns.moment()
    made_by = columns.text(200)
    made_at = models.DateTimeField()


class TestBed(Targeted):
    """A product or test bed of one's own, on offer to be looked at."""

    __test__ = False  # no test, whatever its name begins with
    tenancy = Tenancy(host=True)

    id = columns.random_key("testbed")
    org = columns.owner()
    peer = models.ForeignKey(
        Peer, null=True, blank=True, on_delete=models.PROTECT, related_name="testbeds"
    )
    sent_to = models.ForeignKey(
        Peer, null=True, blank=True, on_delete=models.PROTECT, related_name="testbeds_sent"
    )
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)
    hours = columns.text(1_000)
    limits = columns.long_text()
    contact = columns.text(300)
    until = columns.moment()
    number = models.IntegerField(default=1)
    withdrawn_at = columns.moment()
    offered_by = columns.text(200)
    offered_at = models.DateTimeField()


class PeerPartner(Table):
    """The organisation that owns what a partner reports through its lab: one a partner."""

    tenancy = Tenancy(host=True)

    org = columns.owner()
    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="partner_organisations")
    reference = models.CharField(max_length=40)

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["peer", "reference"], name="one_organisation_a_partner")
        ]
