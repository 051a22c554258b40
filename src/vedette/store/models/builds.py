"""Which build of a model was reached when, what it was fingerprinted as, and how access went."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.models.access import Session
from vedette.store.models.engagement import Act
from vedette.store.tenancy import Table, Tenancy


class Build(Table):
    """A build as the lab states it: checkpoint, safeguards, system prompt, sampling."""

    tenancy = Tenancy()

    id = columns.random_key("build")
    org = columns.owner()
    model = models.CharField(max_length=200)
    name = columns.text(200)
    checkpoint = columns.text(71)
    safeguards = columns.text(200)
    system_prompt = columns.text(71)
    sampling = columns.text(500)
    stated_at = models.DateTimeField()


class Serving(Table):
    """Since when a window's sessions reach a build, as the lab states it."""

    tenancy = Tenancy()

    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="servings")
    build = models.ForeignKey(Build, on_delete=models.PROTECT, related_name="servings")
    since = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["act", "build", "since"], name="one_serving_a_moment")
        ]


class ProbeRound(Table):
    """One taking of the probe set, or the reason why there was none."""

    tenancy = Tenancy()

    id = columns.random_key("round")
    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="rounds")
    session = models.ForeignKey(Session, null=True, on_delete=models.PROTECT, related_name="+")
    occasion = models.CharField(max_length=10)
    at = models.DateTimeField()
    until = columns.moment()
    state = models.CharField(max_length=20)
    reason = columns.text(300)
    build = columns.text(40)
    probe_set = columns.text(71)
    answers = columns.sealed_document()
    verdict = columns.text(20)
    result = columns.document()
    era = models.IntegerField(default=0)

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["act", "occasion"], name="one_round_an_occasion")
        ]


class Reachable(Table):
    """A span of time over which one side's heartbeat found the model there, or not."""

    tenancy = Tenancy()

    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="beats")
    up = models.BooleanField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    beats = models.IntegerField(default=1)


class AccessRecord(Table):
    """One side's account of a window's access; the other side's arrives by message."""

    tenancy = Tenancy()

    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="records")
    side = models.CharField(max_length=10)
    document = columns.document()
    at = models.DateTimeField()


class ReleaseStatement(Table):
    """What the lab says, if it says anything, of the released build beside the assessed one."""

    tenancy = Tenancy()

    id = columns.random_key("statement")
    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="statements")
    said = models.CharField(max_length=20)
    build = columns.text(200)
    checkpoint = columns.text(71)
    differences = columns.sealed_text()
    by = columns.text(200)
    at = models.DateTimeField()
