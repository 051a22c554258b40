"""Findings and what their reproduction showed."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.models.exchange import Peer
from vedette.store.tenancy import Table, Tenancy


class PeerOrganisation(Table):
    """The organisation that owns what a peer reports: one a peer, made on first contact."""

    tenancy = Tenancy(host=True)

    org = columns.owner()
    peer = models.OneToOneField(Peer, on_delete=models.PROTECT, related_name="organisation")


class Finding(Table):
    """A reported vulnerability; belongs to its reporter, the host sees it too.

    `target` is what a recipe runs on (`pypi/ujson`, `suite-item/daemons/regmap`), else the
    product; `crash` is what our own execution showed, as one comparable line. On the reporter's
    instance `sent_to` is the clearinghouse it went to, and `answer` that one's last word.
    """

    tenancy = Tenancy(host=True)

    id = columns.random_key("finding")
    org = columns.owner()
    peer = models.ForeignKey(Peer, null=True, blank=True, on_delete=models.PROTECT)
    # the scan that a peer's message named, which may arrive later than the finding
    scan_named = columns.text(40, db_index=True)
    sent_to = models.ForeignKey(
        Peer, null=True, blank=True, on_delete=models.PROTECT, related_name="findings_sent"
    )
    case = models.ForeignKey(
        "store.Case", null=True, blank=True, on_delete=models.PROTECT, related_name="findings"
    )
    duplicate_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="duplicates"
    )
    apart_from = models.JSONField(default=list, blank=True)
    key = models.CharField(max_length=71)
    external_id = columns.text(200, db_index=True)
    reporter = columns.text(200)
    state = models.CharField(max_length=30, default="received", db_index=True)
    title = models.CharField(max_length=2_000)
    description = columns.long_text()
    vendor = columns.text(300)
    product = columns.text(300, db_index=True)
    component = columns.text(300)
    version = columns.text(200)
    file = columns.text(1_024)
    function = columns.text(1_024)
    target = columns.text(700, db_index=True)
    crash = columns.text(700, db_index=True)
    cwe = models.JSONField(default=list, blank=True)
    stack = models.JSONField(default=list, blank=True)
    references = models.JSONField(default=list, blank=True)
    recipe = columns.document()
    evidence = columns.document()
    why = models.JSONField(default=list, blank=True)
    answer = columns.document()
    origin = columns.text(40)
    marking = columns.marking("TLP:AMBER+STRICT")
    received_at = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["org", "key"], name="a_finding_is_taken_once")
        ]

    def __str__(self) -> str:
        return self.title


class DisclosedBuild(Table):
    """A sealed item's build that an office disclosed with a finding, by its decision."""

    tenancy = Tenancy(host=True)

    org = columns.owner()
    finding = models.OneToOneField(Finding, on_delete=models.PROTECT, related_name="disclosed")
    document = columns.document()


class Reproduction(Table):
    """One independent reproduction by the host."""

    tenancy = Tenancy(host=True)

    org = columns.owner()
    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="reproductions")
    reproduced = models.BooleanField()
    reason = columns.text(1_000)
    evidence = columns.document()
    at = models.DateTimeField()
