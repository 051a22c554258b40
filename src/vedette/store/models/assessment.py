"""Runs, assessments and determinations."""

from __future__ import annotations

from django.db import models

from vedette.store import columns
from vedette.store.models.access import Session
from vedette.store.models.engagement import Act
from vedette.store.tenancy import Table, Tenancy


class Run(Table):
    """One run of a suite on its subjects, with live progress."""

    tenancy = Tenancy()

    id = columns.random_key("run")
    org = columns.owner()
    act = models.ForeignKey(
        Act, null=True, blank=True, on_delete=models.PROTECT, related_name="runs"
    )
    session = models.ForeignKey(
        Session, null=True, blank=True, on_delete=models.PROTECT, related_name="runs"
    )
    suite = models.CharField(max_length=200)
    suite_digest = columns.text(71)
    # where items and weights meet: "here" where reference subjects alone run
    custody = columns.text(20)
    subjects = models.JSONField(default=list)
    budget = columns.document()
    seed = models.BigIntegerField(default=0)
    trials = models.IntegerField(default=1)
    state = models.CharField(max_length=20, default="committed")
    progress = columns.document()
    commitment = columns.document()
    # the same, signed (DSSE); the threshold that it commits to, sealed for this instance
    signed_commitment = columns.document()
    sealed_threshold = columns.long_text()
    # what the custody is shown by: keys, digests, an attestation
    custody_record = columns.document()
    result = columns.sealed_document()
    error = columns.sealed_text()
    marking = columns.marking("TLP:AMBER+STRICT")
    started_by = columns.text(200)
    committed_at = models.DateTimeField()
    started_at = columns.moment()
    finished_at = columns.moment()


class TakenSuite(Table):
    """A suite that was taken in here, certified; its files lie under its digest."""

    tenancy = Tenancy()

    id = columns.random_key("suite")
    org = columns.owner()
    name = columns.text(64)
    version = columns.text(200)
    title = columns.text(500)
    digest = models.CharField(max_length=71, unique=True)
    marking = columns.marking()
    certificates = columns.document()
    taken_by = columns.text(200)
    taken_at = models.DateTimeField()


class Assessment(Table):
    """A capability assessment: made here from a run, or received from the office."""

    tenancy = Tenancy()

    id = columns.random_key("assessment")
    org = columns.owner()
    act = models.ForeignKey(
        Act, null=True, blank=True, on_delete=models.PROTECT, related_name="assessments"
    )
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.PROTECT)
    document = columns.document()
    digest = models.CharField(max_length=71)
    marking = columns.marking("TLP:AMBER+STRICT")
    # of one that was received: when what is derived from it is declassified
    declassify = columns.text(200)
    made_by = columns.text(200)
    made_at = models.DateTimeField()
    shared_at = columns.moment()


class Determination(Table):
    """The determination record: outcome, maker, those consulted."""

    tenancy = Tenancy()

    id = columns.random_key("determination")
    org = columns.owner()
    act = models.ForeignKey(
        Act, null=True, blank=True, on_delete=models.PROTECT, related_name="determinations"
    )
    assessment = models.ForeignKey(Assessment, null=True, blank=True, on_delete=models.PROTECT)
    sealed_threshold = columns.long_text()
    document = columns.document()
    digest = models.CharField(max_length=71)
    marking = columns.marking("TLP:AMBER+STRICT")
    # of one that was received: when what is derived from it is declassified
    declassify = columns.text(200)
    made_by = columns.text(200)
    made_at = models.DateTimeField()
    shared_at = columns.moment()


class Forecast(Table):
    """The chance that what is left of a window brings a determination, planned anew each day.

    `sealed`, by the instance's key: threshold, the last curve, a row a day.
    """

    tenancy = Tenancy()

    id = columns.random_key("forecast")
    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="forecasts")
    suite = models.CharField(max_length=200)
    suite_digest = columns.text(71)
    given = columns.document()
    sealed = columns.long_text()
    marking = columns.marking("TLP:AMBER+STRICT")
    made_by = columns.text(200)
    made_at = models.DateTimeField()
    ended_at = columns.moment()
