"""The lab's own plan, dossier and decisions; the acts that both sides keep."""

from __future__ import annotations

from django.db import models

from vedette.store import columns
from vedette.store.models.exchange import Peer
from vedette.store.tenancy import Table, Tenancy


class Plan(Table):
    """The lab's release plan; never leaves its instance."""

    tenancy = Tenancy()

    id = columns.random_key("plan")
    org = columns.owner()
    model = models.CharField(max_length=200)
    partner_release = models.DateTimeField()
    public_release = columns.moment()
    window_days = models.IntegerField(null=True, blank=True)
    document = columns.document()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.model}, partner release {self.partner_release:%Y-%m-%d}"


class PlanChange(Table):
    """The change log of a plan's dates, with who changed them."""

    tenancy = Tenancy()

    org = columns.owner()
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    by = columns.text(200)
    before = columns.document()
    after = columns.document()
    reason = columns.text(1000)


class Dossier(Table):
    """The lab's dossier on one model: field id to text."""

    tenancy = Tenancy()

    id = columns.random_key("dossier")
    org = columns.owner()
    model = models.CharField(max_length=200)
    values = columns.document()
    pack_digest = columns.text(71)
    filled_at = models.DateTimeField()


class Decision(Table):
    """The lab's decision on one of the three acts; its own record."""

    tenancy = Tenancy()

    id = columns.random_key("decision")
    org = columns.owner()
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="decisions")
    number = models.IntegerField(default=0)
    kind = models.CharField(max_length=40)
    choice = models.CharField(max_length=20)
    reason = columns.long_text()
    document = columns.document()
    decided_by = columns.text(200)
    decided_at = models.DateTimeField()


class Act(Table):
    """One of the three voluntary acts, as this side knows it."""

    tenancy = Tenancy()

    id = columns.random_key("act")
    org = columns.owner()
    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="acts")
    kind = models.CharField(max_length=40)
    state = models.CharField(max_length=20)
    model = models.CharField(max_length=200)
    basis = columns.text(60)
    purpose = columns.text(40)
    opens = columns.moment()
    closes = columns.moment()
    window_state = columns.text(20)
    window_ended = columns.moment()
    answer_by = columns.moment()
    # when what is derived from it is declassified: the instruction of the lab's offer
    declassify = columns.text(200)
    dossier = columns.sealed_document("id")
    note = columns.sealed_text("id")
    reason = columns.sealed_text("id")
    marking = columns.marking("TLP:AMBER+STRICT")
    offered_at = models.DateTimeField()
    answered_at = columns.moment()
    pack_digest = columns.text(71)

    def __str__(self) -> str:
        return f"{self.kind} for {self.model}"
