"""Tells the database whose eyes a statement has, for row-level security (see `store.security`).

Rules:
- Before a statement in a transaction, the database is told the scope that holds at that moment, and
  nobody's where none does. What it was told last is not told again.
- What is told is local to the transaction, and a rollback takes it back: after either the
  connection knows nothing of what the database was told.
- Outside a transaction nothing is told, and nothing of an organisation is seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from vedette.store.scopes import NOBODY, Scope, current_scope

TELL = (
    "SELECT set_config('vedette.org', %s, true), set_config('vedette.host', %s, true),"
    " set_config('vedette.system', %s, true), set_config('vedette.now', %s, true)"
)
# they say nothing of a row, and one of them has to work in a transaction that failed
CONTROL = ("SAVEPOINT", "RELEASE", "ROLLBACK")


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that keeps the database's idea of the scope in step with Python's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.told: Scope | None = None
        self.execute_wrappers.append(self._in_step)

    def _in_step(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        if self.in_atomic_block and not str(sql).startswith(CONTROL):
            self._tell(current_scope() or NOBODY)
        return execute(sql, params, many, context)

    def _tell(self, scope: Scope) -> None:
        if self.told == scope or self.connection.info.transaction_status in _BROKEN:
            return
        now = scope.now.isoformat() if scope.now else ""
        values = [scope.org, "1" if scope.host else "", "1" if scope.system else "", now]
        self.connection.execute(TELL, values)
        self.told = scope

    def _commit(self) -> Any:
        self.told = None
        return super()._commit()  # type: ignore[misc]

    def _rollback(self) -> Any:
        self.told = None
        return super()._rollback()  # type: ignore[misc]

    def _savepoint_rollback(self, sid: str) -> None:
        self.told = None
        super()._savepoint_rollback(sid)  # type: ignore[misc]

    def _set_autocommit(self, autocommit: bool) -> None:
        self.told = None
        super()._set_autocommit(autocommit)  # type: ignore[misc]

    def connect(self) -> None:
        self.told = None
        super().connect()


_BROKEN = (TransactionStatus.INERROR, TransactionStatus.UNKNOWN)
