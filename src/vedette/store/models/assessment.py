"""Suites that were taken in and who saw their items; runs, assessments and determinations."""

from __future__ import annotations

from typing import Any, ClassVar

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
    # of sealed items: the numbers of those it is made of; its own key seals what it recorded where
    # no act's key does
    items = models.JSONField(default=list, blank=True)
    subjects = models.JSONField(default=list)
    budget = columns.document()
    seed = models.BigIntegerField(default=0)
    trials = models.IntegerField(default=1)
    state = models.CharField(max_length=20, default="committed")
    progress = columns.document()
    commitment = columns.sealed_document("items_under")
    # the same, signed (DSSE); the threshold that it commits to, sealed for this instance
    signed_commitment = columns.sealed_document("items_under")
    sealed_threshold = columns.long_text()
    # what the custody is shown by: keys, digests, an attestation
    custody_record = columns.document()
    result = columns.sealed_document("kept_under")
    error = columns.sealed_text("kept_under")
    marking = columns.marking("TLP:AMBER+STRICT")
    started_by = columns.text(200)
    committed_at = models.DateTimeField()
    started_at = columns.moment()
    finished_at = columns.moment()

    sealed_lookup = "act_id"

    @property
    def kept_under(self) -> str:
        """What its key is about: the act, else the run itself where its items are sealed."""
        return self.act_id or self.items_under

    @property
    def items_under(self) -> str:
        """What the key of the items' names is about: it outlives the act's key."""
        return self.id if self.items else ""


class Keyholder(Table):
    """A person who can hold shares of suites' keys; the code that opens them is theirs alone."""

    tenancy = Tenancy()

    id = columns.random_key("holder")
    org = columns.owner()
    person = models.CharField(max_length=254)
    recipient = columns.text(100)
    sealed = columns.long_text()
    made_at = models.DateTimeField()
    ended_at = columns.moment()


class TakenSuite(Table):
    """A suite that was taken in here, certified; its sealed files lie under its digest.

    `shares` holds a share of its key for each keyholder; while it is unsealed the key lies in a
    file of its own. `guard` says by what its items are known again in what would leave, `labels`
    holds what a report needs of them; both are sealed for this instance.
    """

    tenancy = Tenancy()

    id = columns.random_key("suite")
    org = columns.owner()
    name = columns.text(64)
    version = columns.text(200)
    title = columns.text(500)
    digest = models.CharField(max_length=71, unique=True)
    marking = columns.marking()
    declassify = columns.text(200)
    count = models.IntegerField(default=0)
    key_id = columns.text(40)
    shares = columns.document()
    guard = columns.long_text()
    labels = columns.long_text()
    state = models.CharField(max_length=20, default="sealed")
    unsealed_by = columns.text(500)
    unsealed_at = columns.moment()
    taken_by = columns.text(200)
    taken_at = models.DateTimeField()


class SealedItem(Table):
    """An item of a taken suite, by its number; one that is retired is in no further run."""

    tenancy = Tenancy()

    id = columns.random_key("item")
    org = columns.owner()
    suite = models.ForeignKey(TakenSuite, on_delete=models.PROTECT, related_name="sealed_items")
    number = models.IntegerField()
    retired_at = columns.moment()
    retired_why = columns.text(300)

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["suite", "number"], name="an_item_has_its_number"),
        ]


class Exposure(Table):
    """An item was in a run with a subject: by which custody, and who could have seen it."""

    tenancy = Tenancy()

    org = columns.owner()
    item = models.ForeignKey(SealedItem, on_delete=models.PROTECT, related_name="exposures")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="exposures")
    subject = models.CharField(max_length=200)
    custody = models.CharField(max_length=20)
    could_see = columns.text(300)
    at = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["item", "run", "subject"], name="an_exposure_counts_once"
            ),
        ]


class ExposureDecision(Table):
    """The office's signed decision that sealed items may be seen by somebody: a lab whose model
    they are sent to under an act, or everybody who reads a crash that tells one of them."""

    tenancy = Tenancy()

    id = columns.random_key("exposure")
    org = columns.owner()
    kind = models.CharField(max_length=20)
    suite = models.ForeignKey(TakenSuite, on_delete=models.PROTECT, related_name="decisions")
    act = models.ForeignKey(
        Act, null=True, blank=True, on_delete=models.PROTECT, related_name="exposure_decisions"
    )
    item = models.ForeignKey(
        SealedItem, null=True, blank=True, on_delete=models.PROTECT, related_name="decisions"
    )
    why = columns.long_text()
    by = columns.text(500)
    at = models.DateTimeField()
    envelope = columns.document()


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
