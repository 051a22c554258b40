"""Who may see which row: declared once a table, applied twice.

Each table declares one `Tenancy`. From that declaration come both the scoped manager, which every
query passes, and PostgreSQL's row-level security, which holds where a query is written wrong.

Rules:
- Without a scope, a scoped table can't be queried at all (fail closed).
- A row belongs to one organisation; only that organisation sees it, unless the declaration says
  that the instance's host organisation sees it too, or that participants named in a join table
  do, or that a column makes single rows public.
- Nobody but the host and the instance itself writes rows for another organisation, unless a
  mandate in force at the scope's hour lets it: only in tables that declare so, only for the acts
  and sites of `MandateReach`. A scope without an hour has no mandate.
- The instance itself (jobs, arriving messages) works under `SYSTEM`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from django.db import connection, models, transaction
from django.db.models import Exists, OuterRef, Q

from vedette.kernel.errors import OurFault
from vedette.store.scopes import PRESENT, SYSTEM, Scope, current_scope

__all__ = [
    "SYSTEM",
    "Mandated",
    "NoScope",
    "Scope",
    "ScopedManager",
    "Table",
    "Tenancy",
    "current_scope",
    "scoped",
    "unscoped",
]


class NoScope(OurFault):
    """A scoped table was queried outside any scope."""


@dataclass(frozen=True)
class Mandated:
    """How a delegate under a mandate reaches a table's rows.

    Args:
        site: the column with the site's name.
        read: the acts of a mandate (`MandateReach.act`) under which a row is read.
        write: those under which it is written.
    """

    site: str
    read: tuple[str, ...]
    write: tuple[str, ...]


@dataclass(frozen=True)
class Tenancy:
    """One table's declaration.

    Args:
        owner: the column that holds the owning organisation ("org_id"), or "" for a table that is
            read before anybody is signed in (`why` says so).
        host: the host organisation sees every row.
        through: (join table, the column that it shares with this table's `shared`, its
            organisation column): those organisations see the row too.
        shared: this table's column for `through` (the primary key by default).
        also: a second column that holds an organisation, which sees the row, too.
        public: a boolean column; where it is true every organisation sees the row.
        mandated: how a delegate of the owner reaches the row; None: not at all.
        why: the reason for an unscoped table.
    """

    owner: str = "org_id"
    host: bool = False
    through: tuple[str, str, str] | None = None
    shared: str = "pk"
    also: str = ""
    public: str = ""
    mandated: Mandated | None = None
    why: str = ""


def unscoped(why: str) -> Tenancy:
    """Declare a table that holds nothing of one organisation, or is read before sign-in."""
    return Tenancy(owner="", why=why)


@contextmanager
def scoped(scope: Scope) -> Iterator[None]:
    """Query as `scope`; on PostgreSQL within a transaction, because what the database is told of
    scopes is local to one (see `store.postgresql`). One is opened there where none is open."""
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        with transaction.atomic(), _within(scope):
            yield
    else:
        with _within(scope):
            yield


@contextmanager
def _within(scope: Scope) -> Iterator[None]:
    token = PRESENT.set(scope)
    try:
        yield
    finally:
        PRESENT.reset(token)


M = TypeVar("M", bound="Table")


class ScopedQuerySet(models.QuerySet[M]):
    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> list[M]:
        rows = list(objs)
        for row in rows:
            row.check_owner()
        return super().bulk_create(rows, *args, **kwargs)


class ScopedManager(models.Manager[M]):
    """The only way to a scoped table's rows."""

    use_in_migrations = False

    def get_queryset(self) -> ScopedQuerySet[M]:
        rows: ScopedQuerySet[M] = ScopedQuerySet(self.model, using=self._db)
        condition = self.model.visible(current_scope())
        return rows if condition is None else rows.filter(condition)


class Table(models.Model):
    """Base of every table: declares its tenancy, and is reached through the scoped manager."""

    tenancy: ClassVar[Tenancy]
    objects: ClassVar[ScopedManager[Any]] = ScopedManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
        default_manager_name = "objects"

    @classmethod
    def visible(cls, scope: Scope | None) -> Q | None:
        """The rows that `scope` sees, as a condition; None for all of them."""
        rule = cls.tenancy
        if not rule.owner:
            return None
        if scope is None:
            raise NoScope(f"{cls.__name__} was queried outside any scope")
        if scope.system or (scope.host and rule.host):
            return None
        condition = Q(**{rule.owner: scope.org})
        if rule.through:
            table, row, org = rule.through
            joined = cls._meta.apps.get_model("store", table)
            shared = joined._base_manager.filter(**{org: scope.org}).values(row)
            condition |= Q(**{f"{rule.shared}__in": shared})
        if rule.also:
            condition |= Q(**{rule.also: scope.org})
        if rule.mandated and scope.now:
            condition |= Q(Exists(cls._reach(scope, rule.mandated, rule.mandated.read)))
        if rule.public:
            condition |= Q(**{rule.public: True})
        return condition

    @classmethod
    def _reach(
        cls, scope: Scope, how: Mandated, acts: tuple[str, ...], row: Table | None = None
    ) -> models.QuerySet[Any]:
        """What lets `scope` do one of `acts` at this moment: with `row`, or with each row."""
        owner = row.owner_id if row else OuterRef(cls.tenancy.owner)
        site = getattr(row, how.site) if row else OuterRef(how.site)
        reaches = cls._meta.apps.get_model("store", "MandateReach")._base_manager
        return reaches.filter(
            Q(site="") | Q(site=site),
            delegate_id=scope.org,
            operator_id=owner,
            act__in=acts,
            starts_at__lte=scope.now,
            ends_at__gt=scope.now,
        )

    def check_owner(self) -> None:
        """Raise where this scope may not write this row."""
        rule, scope = self.tenancy, current_scope()
        if not rule.owner:
            return
        if scope is None:
            raise NoScope(f"{type(self).__name__} was written outside any scope")
        if scope.system or (scope.host and rule.host) or self.owner_id == scope.org:
            return
        how = rule.mandated
        if not (how and scope.now and self._reach(scope, how, how.write, self).exists()):
            raise NoScope(f"{type(self).__name__} of another organisation can't be written")

    @property
    def owner_id(self) -> str:
        return str(getattr(self, self.tenancy.owner))

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.check_owner()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self.check_owner()
        return super().delete(*args, **kwargs)
