"""What is open for private matching, who may ask, and how often somebody did."""

from __future__ import annotations

from django.db import models

from vedette.store import columns
from vedette.store.models.cases import Case
from vedette.store.models.exchange import Peer
from vedette.store.models.operators import Inventory
from vedette.store.tenancy import Table, Tenancy


class EarlyWarning(Table):
    """An operator's instance that may ask about embargoed cases in private."""

    tenancy = Tenancy(host=True)

    org = columns.owner()
    peer = models.OneToOneField(Peer, on_delete=models.PROTECT, related_name="early_warning")
    by = columns.text(200)
    since = models.DateTimeField()


class PrivateCase(Table):
    """A case open for private matching (`active`), or that once was.

    `record` holds what matching takes of it as an index would (`matching.records`), `keys` its
    product keys; `asked` counts the questions that reached it. A `secret` one is in no bucket, and
    told only by intersection.
    """

    tenancy = Tenancy(host=True)

    org = columns.owner()
    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="in_private")
    record = columns.document()
    keys = models.JSONField(default=list)
    active = models.BooleanField(default=True)
    secret = models.BooleanField(default=False)
    asked = models.IntegerField(default=0)
    opened_at = models.DateTimeField()
    closed_at = columns.moment()


class PrivateQuestion(Table):
    """A question that was answered: its own random id, from whom and when; not what it asked."""

    tenancy = Tenancy(host=True)

    id = models.CharField(primary_key=True, max_length=40)
    org = columns.owner()
    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="private_questions")
    asked_at = models.DateTimeField(db_index=True)


class PrivateMatch(Table):
    """What an operator found in private: an embargoed case that touches one of its inventories.

    `line` is the match's, `hours` the embargo's in the parties' zones, `buckets` where it lay.
    """

    tenancy = Tenancy()

    org = columns.owner()
    inventory = models.ForeignKey(Inventory, on_delete=models.CASCADE, related_name="in_private")
    case = models.CharField(max_length=40)
    line = columns.document()
    marking = columns.marking("TLP:AMBER+STRICT")
    until = columns.moment()
    hours = models.JSONField(default=list)
    buckets = models.JSONField(default=list)
    found_at = models.DateTimeField()
