"""Mandates, and what each lets its delegate reach while it is in force."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.models.accounts import Organisation
from vedette.store.tenancy import Table, Tenancy


class Mandate(Table):
    """An operator (`org`) lets a delegate act for it; both see it, `basis` verbatim."""

    tenancy = Tenancy(also="delegate_id")

    id = columns.random_key("mandate")
    org = columns.owner("mandates")
    delegate = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="mandated")
    operator_name = models.CharField(max_length=200)
    delegate_name = models.CharField(max_length=200)
    state = models.CharField(max_length=20)
    acts = models.JSONField()
    sites = models.JSONField(default=list, blank=True)
    basis = models.TextField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    registered = models.BooleanField(default=False)
    made_by = columns.text(200)
    made_at = models.DateTimeField()
    accepted_by = columns.text(200)
    accepted_at = columns.moment()
    ended_by = columns.text(200)
    ended_at = columns.moment()


class MandateReach(Table):
    """One act at one site (empty: all) that a mandate in force covers; gone when it is not.

    The managers and the database read it: no row, or a time outside its hours, reaches nothing.
    """

    tenancy = Tenancy(owner="delegate_id")

    mandate = models.ForeignKey(Mandate, on_delete=models.CASCADE, related_name="reaches")
    delegate = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    operator = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    act = models.CharField(max_length=20)
    site = columns.text(200)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta(Table.Meta):
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["operator", "delegate"], name="who_reaches_an_operator")
        ]
