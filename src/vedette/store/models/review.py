"""Offices at work on one act together: places, tasks, comments, views, checks, questions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.models.assessment import Determination
from vedette.store.models.engagement import Act
from vedette.store.models.exchange import Peer, about_act
from vedette.store.tenancy import Table, Tenancy

OFFICES = ("ReviewOffice", "review_id", "reader_id")
SHARED = Tenancy(host=True, through=OFFICES, shared="review_id")


class Review(Table):
    """The review of one act; `proposals` is what the lead has proposed so far, the last stands."""

    tenancy = Tenancy(host=True, through=OFFICES)

    id = columns.random_key("review")
    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="reviews")
    state = models.CharField(max_length=20)
    kind = models.CharField(max_length=40)
    model = models.CharField(max_length=200)
    head_marking = columns.marking("TLP:AMBER+STRICT")
    marking = columns.marking("TLP:AMBER+STRICT")
    proposals = columns.sealed_document(default=list)
    pack = columns.text(100)
    pack_digest = columns.text(71)
    opened_by = columns.text(200)
    opened_at = models.DateTimeField()
    concluded_by = columns.text(200)
    concluded_at = columns.moment()

    def __str__(self) -> str:
        return f"review of {self.kind} for {self.model}"


class ReviewOffice(Table):
    """An office's place in a review. `reader` is the office while it reads, empty after."""

    tenancy = Tenancy(host=True)

    org = columns.owner()
    reader = models.ForeignKey(
        "store.Organisation", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="offices")
    peer = models.ForeignKey(
        Peer, null=True, blank=True, on_delete=models.PROTECT, related_name="consulted"
    )
    consultation = columns.text(40)
    asked = models.IntegerField(default=0)
    answered = models.IntegerField(default=0)
    state = models.CharField(max_length=20)
    fields = models.JSONField(default=list, blank=True)
    hears_others = models.BooleanField(default=True)
    # what became of the extract there, once what it came from was destroyed here
    destruction_asked_at = columns.moment()
    destroyed_at = columns.moment()
    certificate = columns.document()
    certificate_signature = columns.text(128)
    # the holds on its extract, as that office told them last
    holds = models.JSONField(default=list, blank=True)
    holds_number = models.IntegerField(default=0)
    invited_at = models.DateTimeField()
    responded_at = columns.moment()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["review", "org"], name="an_office_is_in_a_review_once")
        ]


class ReviewTask(Table):
    """One task of one office, side by side with the others."""

    tenancy = SHARED

    id = columns.random_key("task")
    org = columns.owner()
    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="tasks")
    title = models.CharField(max_length=300)
    person = columns.text(200)
    due = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=20)
    set_at = models.DateTimeField()
    moved_at = columns.moment()


class ReviewComment(Table):
    """A portion with a marking of its own, on a field of the dossier or on the whole."""

    tenancy = SHARED
    sealed_lookup = "review__act_id"

    id = columns.random_key("comment")
    org = columns.owner()
    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="comments")
    number = models.IntegerField()
    author = columns.text(200)
    field = columns.text(64)
    text = columns.sealed_text("about_act")
    lead_only = models.BooleanField(default=False)
    marking = columns.marking("TLP:AMBER+STRICT")
    at = models.DateTimeField()

    @property
    def about_act(self) -> str:
        """The act under whose key the text is sealed."""
        return str(self.review.act_id)


class ReviewView(Table):
    """What an office holds of what the lead proposes; the latest counts, earlier ones stay."""

    tenancy = SHARED
    sealed_lookup = "review__act_id"

    id = columns.random_key("view")
    org = columns.owner()
    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="views")
    number = models.IntegerField()
    stand = models.CharField(max_length=20)
    reasons = columns.sealed_text("about_act")
    marking = columns.marking("TLP:AMBER+STRICT")
    made_on = columns.text(71)
    by = columns.text(200)
    at = models.DateTimeField()

    @property
    def about_act(self) -> str:
        """The act under whose key the reasons are sealed."""
        return str(self.review.act_id)


class FieldCheck(Table):
    """Where one office is with one field of the worksheet, and which state of it it looked at."""

    tenancy = SHARED

    org = columns.owner()
    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="checks")
    field = models.CharField(max_length=64)
    word = models.CharField(max_length=20)
    made_on = columns.text(71)
    by = columns.text(200)
    at = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["review", "org", "field"], name="an_office_checks_a_field_once"
            )
        ]


class DeterminationBasis(Table):
    """What a determination was made on: review, build, the one before, and how that compares."""

    tenancy = Tenancy()

    org = columns.owner()
    determination = models.OneToOneField(
        Determination, on_delete=models.PROTECT, related_name="basis"
    )
    review = models.ForeignKey(Review, null=True, blank=True, on_delete=models.PROTECT)
    earlier = models.ForeignKey(
        Determination, null=True, blank=True, on_delete=models.PROTECT, related_name="retests"
    )
    model = columns.text(200)
    build = columns.text(200)
    review_digest = columns.text(71)
    pack_digest = columns.text(71)
    comparison = columns.document()


class DossierState(Table):
    """One state of the dossier's fields that crossed with an act, as sent or as it came."""

    tenancy = Tenancy()

    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="dossier_states")
    number = models.IntegerField()
    values = columns.sealed_document()
    withheld = columns.sealed_document()
    pack = columns.text(100)
    pack_digest = columns.text(71)
    marking = columns.marking("TLP:AMBER+STRICT")
    at = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["act", "number"], name="one_dossier_state_a_number")
        ]


class Question(Table):
    """A question on one field of the dossier, on either side; `follows` an earlier one."""

    tenancy = Tenancy()

    id = columns.random_key("question")
    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="questions")
    field = models.CharField(max_length=64)
    text = columns.sealed_text()
    behalf = columns.text(200)
    follows = columns.text(40)
    wished_for = columns.moment()
    state = models.CharField(max_length=20)
    number = models.IntegerField(default=0)
    answer = columns.sealed_text()
    marking = columns.marking("TLP:AMBER+STRICT")
    asked_by = columns.text(200)
    asked_at = models.DateTimeField()
    answered_by = columns.text(200)
    answered_at = columns.moment()


class Consultation(Table):
    """What another office asks this one for its view on, with the extract that it shares.

    `about` is the act there, under whose key it is sealed here; `readers` whom its terms let read
    here, None where none are in force. `certificate` says that it was destroyed as the lead asked.
    """

    tenancy = Tenancy()
    sealed_lookup = "about"

    id = columns.random_key("consultation")
    org = columns.owner()
    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="consultations")
    state = models.CharField(max_length=20)
    number = models.IntegerField(default=0)
    kind = models.CharField(max_length=40)
    model = models.CharField(max_length=200)
    lab = columns.text(200)
    about = columns.text(40)
    extract = columns.sealed_document("about_act")
    markings = columns.document()
    readers = models.JSONField(null=True, blank=True)
    proposal = columns.sealed_text("about_act")
    note = columns.sealed_text("about_act")
    wished_for = columns.moment()
    # what the extract is derived from, as its lead cites it, and that one's instruction
    source = columns.text()
    declassify = columns.text(200)
    pack = columns.text(100)
    pack_digest = columns.text(71)
    marking = columns.marking("TLP:AMBER+STRICT")
    asked_at = models.DateTimeField()
    answers = models.IntegerField(default=0)
    stand = columns.text(20)
    reasons = columns.sealed_text("about_act")
    made_on = columns.text(71)
    answered_by = columns.text(200)
    answered_at = columns.moment()
    destruction_asked_at = columns.moment()
    destroyed_at = columns.moment()
    certificate = columns.document()
    certificate_signature = columns.text(128)
    holds_number = models.IntegerField(default=0)

    @property
    def about_act(self) -> str:
        """The act under whose key it is sealed, "" for none."""
        return about_act("", self.about)
