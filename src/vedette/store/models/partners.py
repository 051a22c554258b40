"""Trusted partners: who was named in a selection, and what each side says of each."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.models.engagement import Act
from vedette.store.tenancy import Table, Tenancy


class TrustedPartner(Table):
    """One partner of one selection. A side's `number` grows with each change of its stance.

    On the lab's instance `told` says that the clearinghouse knows the partner as agreed, and
    `told_number` counts what it was told; on the clearinghouse they keep what arrived.
    `wave` is the lab's own choice, where it made one.
    """

    tenancy = Tenancy()

    id = columns.random_key("partner")
    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="partners")
    place = models.IntegerField(default=0)
    name = models.CharField(max_length=300)
    sector = columns.text(100)
    small = models.BooleanField(default=False)
    criteria = models.JSONField(default=list, blank=True)
    reason = columns.sealed_text()
    conflicts = columns.sealed_text()
    lab_stance = models.CharField(max_length=20, default="unanswered")
    lab_at = columns.moment()
    lab_note = columns.sealed_text()
    lab_ties = models.JSONField(default=list, blank=True)
    lab_number = models.IntegerField(default=0)
    office_stance = models.CharField(max_length=20, default="unanswered")
    office_at = columns.moment()
    office_note = columns.sealed_text()
    office_ties = models.JSONField(default=list, blank=True)
    office_number = models.IntegerField(default=0)
    told = models.BooleanField(default=False)
    told_number = models.IntegerField(default=0)
    told_at = columns.moment()
    wave = models.IntegerField(null=True, blank=True)

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["act", "name"], name="a_partner_is_named_once")
        ]

    def __str__(self) -> str:
        return self.name
