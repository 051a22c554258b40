"""Keys of windows, what is held under them until when, holds, seconds, and who read what."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.models.engagement import Act
from vedette.store.tenancy import Table, Tenancy


class WindowKey(Table):
    """That a key was made for an act, and what became of it; the key itself is a file apart.

    `about` is the act's id: a message can come before the act that it is about.
    """

    tenancy = Tenancy()

    id = models.CharField(primary_key=True, max_length=40)
    org = columns.owner()
    about = columns.text(40, db_index=True)
    made_at = models.DateTimeField()
    destroyed_at = columns.moment()
    lost_at = columns.moment()


class Custody(Table):
    """What stands about the material of one act: held until when, destroyed when."""

    tenancy = Tenancy()

    act = models.OneToOneField(
        Act, on_delete=models.PROTECT, primary_key=True, related_name="custody"
    )
    org = columns.owner()
    state = models.CharField(max_length=20, default="held")
    ended_at = columns.moment()
    due_at = columns.moment()
    ordered_by = columns.text(200)
    # the lab's wish that it goes before it is due; nothing is owed to it
    asked_at = columns.moment()
    asked_by = columns.text(200)
    asked_note = columns.long_text()
    destroyed_at = columns.moment()
    certificate = columns.document()
    digest = columns.text(71)
    signature = columns.text(128)
    returned = columns.document()
    returned_at = columns.moment()
    # the extracts that other offices got: who was asked to destroy one, and who has certified it
    copies = models.JSONField(default=list, blank=True)
    copies_number = models.IntegerField(default=0)


class Hold(Table):
    """A records or legal hold, as both sides know it: on an act's material, or on the extract that
    another office shared. A guest's own is the guest's; `behalf` names it to the lab.
    """

    tenancy = Tenancy(host=True)

    id = columns.random_key("hold")
    org = columns.owner()
    act = models.ForeignKey(
        Act, null=True, blank=True, on_delete=models.PROTECT, related_name="holds"
    )
    consultation = models.ForeignKey(
        "store.Consultation", null=True, blank=True, on_delete=models.PROTECT, related_name="holds"
    )
    side = models.CharField(max_length=10)
    behalf = columns.text(200)
    kind = models.CharField(max_length=40)
    basis = models.CharField(max_length=300)
    authority = models.CharField(max_length=300)
    note = columns.long_text()
    set_by = columns.text(200)
    set_at = models.DateTimeField()
    from_at = models.DateTimeField()
    until_at = columns.moment()
    lifted_at = columns.moment()
    lifted_by = columns.text(200)
    lift_reason = columns.long_text()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                condition=models.Q(act=None, consultation__isnull=False)
                | models.Q(act__isnull=False, consultation=None),
                name="a_hold_is_on_an_act_or_an_extract",
            )
        ]


class Seconding(Table):
    """A chosen act that one person proposed and another is to second; it lapses without a fault."""

    tenancy = Tenancy()

    id = columns.random_key("second")
    org = columns.owner()
    kind = models.CharField(max_length=40)
    object_id = columns.text(100)
    arguments = columns.document()
    why = columns.long_text()
    proposer = models.CharField(max_length=200)
    proposed_at = models.DateTimeField()
    lapses_at = models.DateTimeField()
    state = models.CharField(max_length=20, default="waiting", db_index=True)
    seconder = columns.text(200)
    settled_at = columns.moment()


class Reading(Table):
    """One opening of a lab's material by a person: who, what, when, and nothing of its content."""

    tenancy = Tenancy()

    org = columns.owner()
    about = columns.text(40, db_index=True)
    person = models.CharField(max_length=254)
    at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=100)


class ReadingAlert(Table):
    """Reading that is unusual for its reader, by a rule and with its figures."""

    tenancy = Tenancy()

    id = columns.random_key("alert")
    org = columns.owner()
    person = models.CharField(max_length=254)
    rule = models.CharField(max_length=40)
    day = models.DateField()
    at = models.DateTimeField()
    figures = columns.document()
    looked_at = columns.moment()
    looked_by = columns.text(200)
    note = columns.long_text()


class ReadingReport(Table):
    """Who read how much of one act's material over some days, as told to the lab."""

    tenancy = Tenancy()

    id = columns.random_key("readings")
    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="reading_reports")
    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    rows = models.JSONField(default=list)
    alerts = models.IntegerField(default=0)
    at = models.DateTimeField()
