"""Cases under coordination, their participants, fixes, advisories and mail."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.tenancy import Table, Tenancy

PARTICIPANTS = ("CaseParticipant", "case_id", "org_id")


class Case(Table):
    """One vulnerability under coordination; its participants see it too."""

    tenancy = Tenancy(host=True, through=PARTICIPANTS)

    id = columns.random_key("case")
    org = columns.owner()
    state = models.CharField(max_length=30, default="open", db_index=True)
    title = models.CharField(max_length=300)
    vendor = columns.text(300)
    product = columns.text(300)
    component = columns.text(300)
    summary = columns.long_text()
    facts = columns.document()
    embargo = columns.document()
    embargo_until = columns.moment()
    marking = columns.marking("TLP:AMBER+STRICT")
    opened_at = models.DateTimeField()
    closed_at = columns.moment()

    def __str__(self) -> str:
        return self.title


class CaseParticipant(Table):
    """An organisation in a case; silence is a status of its own."""

    tenancy = Tenancy(host=True)

    org = columns.owner("participations")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="participants")
    role = models.CharField(max_length=30)
    status = models.CharField(max_length=30, default="invited")
    note = columns.long_text()
    terms = columns.long_text()
    zone = columns.text(60)
    days = columns.document()
    agreed_to_publish = models.BooleanField(default=False)
    invited_at = models.DateTimeField()
    responded_at = columns.moment()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["case", "org"], name="an_organisation_is_in_a_case_once"
            )
        ]


class CaseNote(Table):
    """A message within a case, seen by its participants."""

    tenancy = Tenancy(host=True, through=PARTICIPANTS, shared="case_id")

    id = columns.random_key("note")
    org = columns.owner()
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notes")
    author = columns.text(200)
    text = models.TextField()
    at = models.DateTimeField()


class SeverityClaim(Table):
    """One party's claim on severity; claims stand side by side."""

    tenancy = Tenancy(host=True, through=PARTICIPANTS, shared="case_id")

    org = columns.owner()
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="severities")
    claimant = models.CharField(max_length=20, default="clearinghouse")
    party = models.CharField(max_length=200)
    vector = columns.text(300)
    score = columns.text(10)
    reason = columns.text(1000)
    at = models.DateTimeField()


class FixDelivery(Table):
    """A vendor's fixed source, and what its verification by execution showed."""

    tenancy = Tenancy(host=True)

    id = columns.random_key("fix")
    org = columns.owner()
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="fixes")
    version = models.CharField(max_length=100)
    note = columns.long_text()
    source = models.BinaryField()
    digest = models.CharField(max_length=71)
    state = models.CharField(max_length=20, default="delivered")
    evidence = columns.document()
    delivered_at = models.DateTimeField()
    verified_at = columns.moment()


class Advisory(Table):
    """A published advisory, in each format as published, and the words it was made from."""

    tenancy = Tenancy(host=True, public="public")

    id = columns.random_key("advisory")
    org = columns.owner()
    case = models.ForeignKey(
        Case, null=True, blank=True, on_delete=models.PROTECT, related_name="advisories"
    )
    tracking_id = models.CharField(max_length=100, unique=True)
    title = models.CharField(max_length=300)
    content = columns.document()
    csaf = columns.document()
    osv = columns.document()
    checks = columns.document()
    corrects = models.JSONField(default=list, blank=True)
    priority = columns.document()
    marking = columns.marking("TLP:CLEAR")
    public = models.BooleanField(default=False)
    published_at = columns.moment()


class Mail(Table):
    """Mail to somebody who does not sign in, kept with its sending."""

    tenancy = Tenancy(host=True)

    id = columns.random_key("mail")
    org = columns.owner()
    case = models.ForeignKey(
        Case, null=True, blank=True, on_delete=models.PROTECT, related_name="mails"
    )
    to = models.CharField(max_length=254)
    subject = models.CharField(max_length=300)
    body = models.TextField()
    queued_at = models.DateTimeField()
    sent_at = columns.moment()
