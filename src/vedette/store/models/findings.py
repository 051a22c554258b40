"""Findings and what their reproduction showed."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.models.exchange import Peer
from vedette.store.tenancy import Table, Tenancy


class Finding(Table):
    """A reported vulnerability; belongs to its reporter, the host sees it too."""

    tenancy = Tenancy(host=True)

    id = columns.random_key("finding")
    org = columns.owner()
    peer = models.ForeignKey(Peer, null=True, blank=True, on_delete=models.PROTECT)
    case = models.ForeignKey(
        "store.Case", null=True, blank=True, on_delete=models.PROTECT, related_name="findings"
    )
    duplicate_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="duplicates"
    )
    key = models.CharField(max_length=71)
    reporter = columns.text(200)
    state = models.CharField(max_length=30, default="received", db_index=True)
    title = models.CharField(max_length=300)
    description = columns.long_text()
    vendor = columns.text(300)
    product = columns.text(300, db_index=True)
    component = columns.text(300)
    version = columns.text(100)
    file = columns.text(300)
    function = columns.text(300)
    cwe = models.JSONField(default=list, blank=True)
    stack = models.JSONField(default=list, blank=True)
    references = models.JSONField(default=list, blank=True)
    recipe = columns.document()
    evidence = columns.document()
    why = models.JSONField(default=list, blank=True)
    origin = columns.text(40)
    marking = columns.marking("TLP:AMBER+STRICT")
    received_at = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["org", "key"], name="a_finding_is_taken_once")
        ]

    def __str__(self) -> str:
        return self.title


class Reproduction(Table):
    """One independent reproduction by the host."""

    tenancy = Tenancy(host=True)

    org = columns.owner()
    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="reproductions")
    reproduced = models.BooleanField()
    evidence = columns.document()
    at = models.DateTimeField()
