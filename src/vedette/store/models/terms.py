"""The terms of an act in their versions, who accepted them, and who was taken off their list."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.models.engagement import Act
from vedette.store.tenancy import Table, Tenancy


class Terms(Table):
    """One version of the terms of a window, with the detached signatures of both sides."""

    tenancy = Tenancy()

    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="terms")
    number = models.IntegerField(default=1)
    proposed_by = models.CharField(max_length=10, default="lab")
    state = models.CharField(max_length=20, default="proposed")
    base = columns.text(71)
    note = columns.long_text()
    proposed_at = columns.moment()
    document = columns.document()
    digest = models.CharField(max_length=71)
    lab_signature = columns.text(128)
    lab_signed_by = columns.text(200)
    office_signature = columns.text(128)
    office_signed_by = columns.text(200)
    agreed_at = columns.moment()

    class Meta(Table.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["act", "digest"], name="one_version_of_the_terms")
        ]


class TermsAcceptance(Table):
    """A named person accepted one version of the terms; both sides know of it."""

    tenancy = Tenancy()

    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="acceptances")
    person = models.CharField(max_length=300)
    digest = models.CharField(max_length=71)
    number = models.IntegerField()
    accepted_at = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["act", "person", "digest"], name="one_acceptance_a_person"
            )
        ]


class TermsStrike(Table):
    """A person taken off the list, by one side alone, of every version up to `through`."""

    tenancy = Tenancy()

    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="strikes")
    person = models.CharField(max_length=300)
    through = models.IntegerField()
    by = models.CharField(max_length=10)
    at = models.DateTimeField()
