"""What custody of a run leaves on record: commitments that were told, weights that came."""

from __future__ import annotations

from django.db import models

from vedette.store import columns
from vedette.store.models.engagement import Act
from vedette.store.tenancy import Table, Tenancy


class ToldCommitment(Table):
    """What an office committed to before a run on this lab's model, as it told the lab."""

    tenancy = Tenancy()

    id = columns.random_key("told")
    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="commitments")
    run = models.CharField(max_length=40, unique=True)
    digest = models.CharField(max_length=71, db_index=True)
    document = columns.document()
    told_at = models.DateTimeField()


class GivenKey(Table):
    """One of a bundle's two keys, as an office gave it to this lab: sealed to the lab's own."""

    tenancy = Tenancy()

    id = columns.random_key("given")
    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="given_keys")
    run = models.CharField(max_length=40, db_index=True)
    bundle = models.CharField(max_length=40, db_index=True)
    layer = models.CharField(max_length=10)
    document = columns.document()
    given_at = models.DateTimeField()


class Weights(Table):
    """A file of weights that the office received under an act; it lies sealed under that act's key.

    `digest` and `size` are of the file as received. `opened_at` is set while it lies open for a
    model server, and `closed_at` when it was last put away.
    """

    tenancy = Tenancy()

    id = columns.random_key("weights")
    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="weights")
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=71)
    size = models.BigIntegerField()
    received_by = columns.text(200)
    received_at = models.DateTimeField()
    opened_at = columns.moment()
    closed_at = columns.moment()
