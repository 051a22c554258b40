"""Replies to requests with an idempotency key, kept with what they did."""

from __future__ import annotations

from dataclasses import dataclass

from vedette.kernel.errors import VedetteError
from vedette.services.acting import Actor, reading
from vedette.services.here import here
from vedette.store.models import IdempotencyRecord


@dataclass(frozen=True)
class Reply:
    status: int
    body: str


class KeyUsed(VedetteError):
    """An idempotency key that was used for another request."""

    status = 422
    title = "key used before"


def find(actor: Actor, key: str, asked: str) -> Reply | None:
    """The reply kept under `key`, None where there is none. Raises KeyUsed."""
    with reading(actor):
        row = IdempotencyRecord.objects.filter(org_id=actor.org, key=key).first()
    if row is None:
        return None
    if row.request_digest != asked:
        raise KeyUsed(
            "Idempotency-Key: it was used for another request",
            kept="the first reply",
            next_step="give each request a key of its own",
        )
    return Reply(row.status, row.body)


def claim(actor: Actor, key: str, asked: str) -> None:
    """Take `key` in the open transaction. Raises IntegrityError where somebody else has it."""
    with reading(actor):
        IdempotencyRecord(
            org_id=actor.org, key=key, request_digest=asked, made_at=here().clock.now()
        ).save(force_insert=True)


def keep(actor: Actor, key: str, status: int, body: str) -> None:
    """Keep the reply with what it tells of, in the open transaction."""
    with reading(actor):
        IdempotencyRecord.objects.filter(org_id=actor.org, key=key).update(status=status, body=body)
