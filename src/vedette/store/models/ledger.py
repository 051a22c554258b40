"""The ledger's rows: append-only by trigger."""

from __future__ import annotations

from django.db import models

from vedette.store import columns
from vedette.store.tenancy import Table, Tenancy


class LedgerEntry(Table):
    """One entry, with no content; the acting organisation sees its own, the host all."""

    tenancy = Tenancy(owner="org", host=True)
    append_only = True

    seq = models.BigIntegerField(primary_key=True)
    prev = models.CharField(max_length=71)
    hash = models.CharField(max_length=71)
    event = models.CharField(max_length=60, db_index=True)
    time = models.CharField(max_length=20)
    simulated = models.BooleanField()
    org = models.CharField(max_length=40, db_index=True)
    role = models.CharField(max_length=40)
    object_id = models.CharField(max_length=100, db_index=True)
    marking = columns.marking()
    message_id = columns.text(40, db_index=True)
    payload_digest = models.CharField(max_length=71)
    pack_digest = models.CharField(max_length=71)


class LedgerSalt(Table):
    """The salt of an entry's payload digest: whoever holds payload and salt can show the match."""

    tenancy = Tenancy(owner="org", host=True)

    seq = models.BigIntegerField(primary_key=True)
    org = models.CharField(max_length=40)
    salt = models.CharField(max_length=64)


class LedgerHead(Table):
    """Where the ledger stands: last entry, and the Merkle frontier over all of them."""

    tenancy = Tenancy(host=True)

    org = models.OneToOneField(
        "store.Organisation", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=71)
    frontier = models.JSONField()


class Checkpoint(Table):
    """A signed Merkle tree head over the first `size` entries."""

    tenancy = Tenancy(host=True)
    append_only = True

    org = columns.owner()
    size = models.BigIntegerField(unique=True)
    document = models.JSONField()
