"""What the instance itself keeps: packs in force, deadlines, replies to repeated requests."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.tenancy import Table, Tenancy, unscoped


class PackRecord(Table):
    """A policy pack as it was in force, so that a past decision stays checkable."""

    tenancy = unscoped("rules of the instance, the same for everybody on it")

    digest = models.CharField(max_length=71, primary_key=True)
    name = models.CharField(max_length=100)
    version = models.CharField(max_length=40)
    data = models.TextField()
    adopted_at = models.DateTimeField()


class Schedule(Table):
    """A deadline: at `due_at`, `tick` enqueues `job` once with `arguments`."""

    tenancy = Tenancy(host=True)

    name = models.CharField(max_length=200, unique=True)
    org = columns.owner()
    job = models.CharField(max_length=100)
    arguments = columns.document()
    due_at = models.DateTimeField()
    done_at = columns.moment()

    class Meta(Table.Meta):
        indexes = (
            models.Index(
                fields=["due_at"], condition=models.Q(done_at=None), name="open_deadlines"
            ),
        )


class IdempotencyRecord(Table):
    """The reply to a POST with an Idempotency-Key, given again when the request is repeated."""

    tenancy = Tenancy()

    org = columns.owner()
    key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=71)
    status = models.IntegerField(default=0)
    body = models.TextField(blank=True, default="")
    made_at = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["org", "key"], name="one_reply_a_key")
        ]
