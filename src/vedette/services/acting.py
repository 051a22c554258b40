"""How every act is done: permission, rule, rows, ledger entry, message, job, in one transaction.

A services function takes the acting person as an `Actor` and plain values, and does its work
inside `with act(actor, Permission.X) as a:`. Leaving the block commits all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from vedette.kernel.errors import Forbidden
from vedette.kernel.events import Event
from vedette.kernel.permissions import ROLES, Permission
from vedette.services import awaiting, ledgers, outbox, vault
from vedette.services.here import Here, here
from vedette.services.jobs import enqueue
from vedette.store.models import Peer
from vedette.store.tenancy import Scope, scoped


@dataclass(frozen=True)
class Actor:
    """Who acts: a person (or the instance itself) in one organisation, with one role.

    Somebody of `delegate` who acts for `org` under `mandate` keeps the eyes of the delegate.
    """

    org: str
    name: str
    role: str
    permissions: frozenset[Permission]
    host: bool = False
    system: bool = False
    person: int | None = None
    clearance: str = "TLP:RED"
    delegate: str = ""
    mandate: str = ""

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise Forbidden where this member lacks the permission."""
        if not self.may(permission):
            raise Forbidden(
                f"the role {self.role} may not do this ({permission})",
                next_step="ask an administrator of your organisation",
            )

    @property
    def scope(self) -> Scope:
        return Scope(
            org=self.delegate or self.org,
            host=self.host,
            system=self.system,
            now=here().clock.now(),
        )


EVERY_PERMISSION = frozenset(Permission)


def instance_actor() -> Actor:
    """The instance itself: arriving messages, jobs, deadlines."""
    return Actor(
        org=here().org,
        name="the instance",
        role="instance",
        permissions=EVERY_PERMISSION,
        host=True,
        system=True,
    )


def member(org: str, name: str, role: str, *, host: bool, person: int | None = None) -> Actor:
    """A person in an organisation, with the permissions of `role`."""
    return Actor(org, name, role, ROLES.get(role, frozenset()), host=host, person=person)


@dataclass(frozen=True)
class Doing:
    """One act under way."""

    actor: Actor
    here: Here
    now: datetime

    def record(
        self,
        event: Event,
        object_id: str,
        payload: Mapping[str, Any],
        *,
        marking: str = "TLP:AMBER",
        message_id: str = "",
    ) -> None:
        """Append one ledger entry; `payload` enters it as a salted digest only."""
        if self.actor.mandate:
            payload = {
                **payload,
                "mandate": self.actor.mandate,
                "delegate": self.actor.delegate,
            }
        ledgers.append(
            event=event,
            org=self.actor.org,
            role=self.actor.role,
            object_id=object_id,
            payload=payload,
            marking=marking,
            message_id=message_id,
            now=self.now,
        )
        awaiting.touch(object_id)

    def record_new(self, happened: Sequence[ledgers.Happened]) -> None:
        """Append an entry for each of many new objects, which nothing can be waiting for yet."""
        ledgers.append_each(happened, org=self.actor.org, role=self.actor.role, now=self.now)

    def send(
        self, peer: Peer, type_: str, body: Mapping[str, Any], *, thread: str, marking: str
    ) -> str:
        """Queue one message to `peer` in this transaction, and return its id."""
        message_id = outbox.queue(peer, type_, body, thread=thread, marking=marking, now=self.now)
        self.record(
            Event.MESSAGE_MESSAGE_SENT,
            thread,
            {"type": type_},
            marking=marking,
            message_id=message_id,
        )
        return message_id

    def after(self, job: Callable[..., Any], /, **arguments: Any) -> None:
        """Enqueue a job in this transaction."""
        enqueue(job, **arguments)


@contextmanager
def act(actor: Actor, permission: Permission | None) -> Iterator[Doing]:
    """Do one act of `actor` in one transaction, under its scope."""
    if permission is not None:
        actor.require(permission)
    instance = here()
    with transaction.atomic(), scoped(actor.scope), vault.viewing(actor):
        yield Doing(actor, instance, instance.clock.now())


@contextmanager
def reading(actor: Actor, permission: Permission | None = None) -> Iterator[Here]:
    """Read under `actor`'s scope. SQLite needs no transaction for it, PostgreSQL's settings do."""
    if permission is not None:
        actor.require(permission)
    if connection.vendor == "sqlite":
        with scoped(actor.scope), vault.viewing(actor):
            yield here()
    else:
        with transaction.atomic(), scoped(actor.scope), vault.viewing(actor):
            yield here()
