"""What an index of advisories is made of, and the indexes as published or pulled."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.models.exchange import Peer
from vedette.store.tenancy import Table, Tenancy, unscoped


class SourceAdvisory(Table):
    """A record of another database as it came; one that can't be read is kept with its problem."""

    tenancy = Tenancy(host=True)

    org = columns.owner()
    source = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    document = models.TextField()
    digest = models.CharField(max_length=71)
    problem = columns.text(500)
    taken_at = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["org", "source", "key"], name="one_record_a_source")
        ]


class FeedTaking(Table):
    """What one taking of feeds gave (`services.feeds.Taken`), or why it came to nothing."""

    tenancy = Tenancy(host=True)

    id = columns.random_key("taking")
    org = columns.owner()
    what = models.CharField(max_length=300)
    by = columns.text(200)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    result = columns.document()
    error = columns.text(500)


class IndexBuild(Table):
    """An index of advisories: built here, or pulled from a peer. `current` is its maker's newest.

    Older ones lose their bytes after a while and keep their digest.
    """

    tenancy = Tenancy(host=True, public="public")

    id = columns.random_key("index")
    org = columns.owner()
    peer = models.ForeignKey(
        Peer, null=True, blank=True, on_delete=models.PROTECT, related_name="indexes"
    )
    digest = models.CharField(max_length=71, db_index=True)
    size = models.BigIntegerField()
    advisories = models.IntegerField()
    data = models.BinaryField()
    public = models.BooleanField(default=True)
    current = models.BooleanField(default=False)
    built_at = models.DateTimeField()


class KnownProducts(Table):
    """The products that an index names, prepared for typed lists (`matching.candidates`)."""

    tenancy = Tenancy(host=True)

    org = columns.owner()
    build = models.OneToOneField(IndexBuild, on_delete=models.CASCADE, related_name="products")
    rows = models.JSONField()


class ExploitScore(Table):
    """How likely it is that a vulnerability is exploited within 30 days (EPSS), 0 to 1."""

    tenancy = unscoped("public scores, the same for everybody")

    cve = models.CharField(max_length=40, primary_key=True)
    score = models.FloatField()
