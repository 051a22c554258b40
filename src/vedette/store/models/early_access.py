"""Early access of trusted partners on the lab's instance."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.tenancy import Table, Tenancy


class EarlyAccess(Table):
    """One partner's early access to one model: hours, quota, terms. The partner owns the row.

    `partner` is the id under which the lab named it; what was said there is not the partner's to
    see, so that the row holds what it needs itself.
    """

    tenancy = Tenancy(host=True)

    id = columns.random_key("early")
    org = columns.owner("early_accesses")
    partner = models.CharField(max_length=40)
    act = models.CharField(max_length=40)
    model = models.CharField(max_length=200)
    sector = columns.text(100)
    small = models.BooleanField(default=False)
    opens = models.DateTimeField()
    closes = models.DateTimeField()
    ended_at = columns.moment()
    reason = columns.text(500)
    session_hours = models.IntegerField()
    quota_calls = models.BigIntegerField()
    quota_tokens = models.BigIntegerField()
    purposes = models.JSONField(default=list)
    people = models.JSONField(default=list, blank=True)
    terms = columns.document()
    digest = models.CharField(max_length=71)
    named = models.BooleanField(default=False)
    pseudonym = models.CharField(max_length=60)
    marking = columns.marking("TLP:AMBER+STRICT")
    opened_by = columns.text(200)
    opened_at = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["partner", "org"],
                condition=models.Q(ended_at=None),
                name="one_early_access_a_partner",
            )
        ]

    def __str__(self) -> str:
        return f"{self.model}, early access"


class EarlyAcceptance(Table):
    """A person accepted one version of the terms, by its digest."""

    tenancy = Tenancy(host=True)

    org = columns.owner()
    early = models.ForeignKey(EarlyAccess, on_delete=models.PROTECT, related_name="acceptances")
    person = models.CharField(max_length=254)
    digest = models.CharField(max_length=71)
    accepted_at = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["early", "person", "digest"], name="one_acceptance_a_person_and_version"
            )
        ]


class SeatsShared(Table):
    """Seats and hours by sector as one lab shared them: numbers alone. The newest stands."""

    tenancy = Tenancy(host=True)

    org = columns.owner()
    peer = models.OneToOneField("store.Peer", on_delete=models.PROTECT, related_name="seats")
    number = models.IntegerField()
    rows = models.JSONField(default=list)
    as_of = models.DateTimeField()
