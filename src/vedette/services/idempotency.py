"""Replies to requests with an idempotency key, kept with what they did.

A reply that tells of a lab's material is sealed under the key of that material's act. What is shown
once, a credential, an invitation or a code, is not kept: the same key again replies without it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from vedette.kernel.errors import VedetteError
from vedette.services import vault
from vedette.services.acting import Actor, reading
from vedette.services.here import here
from vedette.store.models import IdempotencyRecord

SHOWN_ONCE = ("code", "credential", "invitation")


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
    body = vault.open_for(row.body, f"reply/{key}")
    if body is None:
        raise KeyUsed(
            "Idempotency-Key: the first reply told of material whose key is gone",
            kept="what the request did",
            next_step="ask for its present state instead",
        )
    return Reply(row.status, body)


def claim(actor: Actor, key: str, asked: str) -> None:
    """Take `key` in the open transaction. Raises IntegrityError where somebody else has it."""
    with reading(actor):
        IdempotencyRecord(
            org_id=actor.org, key=key, request_digest=asked, made_at=here().clock.now()
        ).save(force_insert=True)


def keep(actor: Actor, key: str, status: int, body: str) -> None:
    """Keep the reply with what it tells of, in the open transaction."""
    kept = vault.seal_for(vault.opened_acts(), _without_secrets(body), f"reply/{key}")
    with reading(actor):
        IdempotencyRecord.objects.filter(org_id=actor.org, key=key).update(status=status, body=kept)


def _without_secrets(body: str) -> str:
    if not any(f'"{name}"' in body for name in SHOWN_ONCE):
        return body
    value = json.loads(body)
    if not isinstance(value, dict):
        return body
    return json.dumps({k: "" if k in SHOWN_ONCE else v for k, v in value.items()})
