"""Whose copy of a document is whose: one row a rendering."""

from __future__ import annotations

from django.db import models

from vedette.store import columns
from vedette.store.tenancy import Table, Tenancy


class DocumentCopy(Table):
    """One rendering that left the screen: who took it, when, of what, and its digests."""

    tenancy = Tenancy()
    append_only = True

    id = columns.random_key("copy")
    org = columns.owner()
    kind = models.CharField(max_length=40)
    about = models.CharField(max_length=40, db_index=True)
    form = models.CharField(max_length=10)
    reader = models.CharField(max_length=200)
    address = columns.text(254)
    taken_at = models.DateTimeField(db_index=True)
    marking = columns.marking()
    digest = models.CharField(max_length=71, db_index=True)
    edition_digest = models.CharField(max_length=71)
    statement = columns.document()

    def __str__(self) -> str:
        return f"{self.id} of {self.about} for {self.reader}"
