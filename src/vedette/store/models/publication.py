"""Publications about a window: the draft that was shown, what was marked in it, what went out."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.models.engagement import Act
from vedette.store.tenancy import Table, Tenancy


class Publication(Table):
    """One draft, shown to the other side, and what became of it."""

    tenancy = Tenancy()

    id = columns.random_key("publication")
    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="publications")
    author = models.CharField(max_length=10)
    form = models.CharField(max_length=60)
    title = models.CharField(max_length=300)
    text = columns.long_text()
    digest = models.CharField(max_length=71)
    state = models.CharField(max_length=20)
    pack_digest = models.CharField(max_length=71)
    shown_at = models.DateTimeField()
    seen_by = models.DateTimeField()
    ended_at = columns.moment()
    document = columns.document()
    marking = columns.marking("TLP:AMBER+STRICT")

    def __str__(self) -> str:
        return self.title


class PublicationMark(Table):
    """A passage that the other side would leave out, with both sides' views of it."""

    tenancy = Tenancy()

    org = columns.owner()
    publication = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="marks")
    number = models.IntegerField()
    passage = columns.long_text()
    reason = models.CharField(max_length=60)
    words = columns.long_text()
    agrees = models.BooleanField(null=True)
    view = columns.long_text()

    class Meta(Table.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["publication", "number"], name="one_mark_a_number")
        ]
