"""Sessions on a lab's model and the count of their calls, kept on both sides."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from vedette.store import columns
from vedette.store.models.engagement import Act
from vedette.store.tenancy import Table, Tenancy


class ModelEndpoint(Table):
    """Where the lab's model really is; the key is sealed for this instance alone."""

    tenancy = Tenancy()

    id = columns.random_key("model")
    org = columns.owner()
    model = models.CharField(max_length=200)
    build = columns.text(200)
    safeguards = columns.text(200)
    base_url = models.CharField(max_length=500)
    upstream_model = columns.text(200)
    dialect = models.CharField(max_length=20, default="openai")
    reach = models.CharField(max_length=20, default="literal")
    serves = columns.text(40)
    sealed_key = columns.long_text()
    added_at = models.DateTimeField()

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["org", "model"], name="one_endpoint_a_model")
        ]


class Session(Table):
    """A named person's access for one purpose: requested, open, ended or refused."""

    tenancy = Tenancy()

    id = columns.random_key("session")
    org = columns.owner()
    act = models.ForeignKey(Act, on_delete=models.PROTECT, related_name="sessions")
    early = models.ForeignKey(
        "store.EarlyAccess",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="sessions",
    )
    person = models.CharField(max_length=200)
    purpose = models.CharField(max_length=40)
    state = models.CharField(max_length=20)
    reason = columns.text(500)
    url = columns.text(500)
    credential_digest = columns.text(71, db_index=True)
    sealed_credential = columns.long_text()
    model = columns.text(200)
    build = columns.text(200)
    safeguards = columns.text(200)
    dialect = columns.text(20)
    refusals = columns.document()
    quota_calls = models.BigIntegerField(default=0)
    quota_tokens = models.BigIntegerField(default=0)
    calls_used = models.BigIntegerField(default=0)
    tokens_used = models.BigIntegerField(default=0)
    requested_at = models.DateTimeField()
    opened_at = columns.moment()
    expires_at = columns.moment()
    ended_at = columns.moment()


class Call(Table):
    """One metered call: one HTTP attempt with a request id."""

    tenancy = Tenancy()

    org = columns.owner()
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="calls")
    request_id = models.CharField(max_length=64)
    at = models.DateTimeField()
    status = models.IntegerField()
    refused = columns.text(200)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    milliseconds = models.IntegerField(default=0)
    build = columns.text(40)
    probe = models.BooleanField(default=False)
    ended = columns.text(20)
    odd = columns.text(60)

    class Meta(Table.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["session", "request_id"], name="a_call_is_counted_once")
        ]


class MeterReport(Table):
    """One side's count of a session; the other side's arrives by message."""

    tenancy = Tenancy()

    org = columns.owner()
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="reports")
    side = models.CharField(max_length=10)
    counts = columns.document()
    at = models.DateTimeField()
