"""Rows that are read or written by the thousand: one plain statement each, compiled once a table.

What the ORM does for such a row beyond its statement takes longer than the statement.

Rules:
- The owner is checked and columns are prepared, sealed ones among them, as in any `save`.
- A row that belongs to another table's as well, or has files of its own, is no such row.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models

from vedette.store.tenancy import NoScope, Table

T = TypeVar("T", bound=Table)


def insert(row: Table) -> None:
    """Insert a new row; a key that the database gives is in the row afterwards."""
    row.check_owner()
    statement, fields, asks = _insertion(type(row), connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(statement, [_prepared(row, field, add=True) for field in fields])
        if asks:
            (row.pk,) = cursor.fetchone()
    row._state.adding, row._state.db = False, connection.alias


def insert_many(rows: Sequence[Table]) -> None:
    """Insert new rows of one table; a key that the database gives is not read back."""
    if rows:
        for row in rows:
            row.check_owner()
        statement, fields, _ = _insertion(type(rows[0]), connection.vendor)
        given = [[_prepared(row, field, add=True) for field in fields] for row in rows]
        with connection.cursor() as cursor:
            cursor.executemany(statement.partition(" RETURNING ")[0], given)


def locked(model: type[T], column: str, value: str) -> T | None:
    """The one row with that value, locked until the transaction ends where rows can be.

    It passes no manager: for a table's row of the instance's own, under its own scope.
    """
    return _found(model, column, value, "" if connection.vendor == "sqlite" else " FOR UPDATE")


def one(model: type[T], column: str, value: Any) -> T | None:
    """The one row with that value, of a table that no scope narrows: it passes no manager."""
    if model.tenancy.owner:
        raise NoScope(f"{model.__name__} is read under a scope")
    return _found(model, column, value, "")


def _found(model: type[T], column: str, value: Any, lock: str) -> T | None:
    statement, names, converters = _selection(model, column, lock, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(statement, [value])
        found = cursor.fetchone()
    if found is None:
        return None
    values = list(found)
    for place, expression, steps in converters:
        for step in steps:
            values[place] = step(values[place], expression, connection)
    return model.from_db(connection.alias, names, values)


def update(row: Table, *names: str) -> None:
    """Write the named columns of a row that is there."""
    row.check_owner()
    statement, fields = _change(type(row), names)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*(_prepared(row, f, add=False) for f in fields), row.pk])


def update_many(rows: Sequence[Table], *names: str) -> None:
    """Write the named columns of rows of one table that are there."""
    if rows:
        for row in rows:
            row.check_owner()
        statement, fields = _change(type(rows[0]), names)
        given = [[*(_prepared(row, f, add=False) for f in fields), row.pk] for row in rows]
        with connection.cursor() as cursor:
            cursor.executemany(statement, given)


def try_again(subject: str) -> None:
    """Have messages that wait for `subject` tried at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE store_inmessage SET try_at = NULL WHERE id IN"
            " (SELECT message_id FROM store_awaiting WHERE subject = %s)",
            [subject],
        )


def _prepared(row: Table, field: Any, *, add: bool) -> Any:
    return field.get_db_prep_save(field.pre_save(row, add), connection)


@cache
def _insertion(model: type[Table], vendor: str) -> tuple[str, list[Any], bool]:
    key = model._meta.pk
    asks = isinstance(key, models.AutoField)
    fields = [f for f in model._meta.concrete_fields if not (asks and f is key)]
    columns, places = ", ".join(map(_quoted, fields)), ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {_table(model)} ({columns}) VALUES ({places})"  # noqa: S608
    return f"{statement} RETURNING {_quoted(key)}" if asks else statement, fields, asks


@cache
def _selection(
    model: type[Table], column: str, lock: str, vendor: str
) -> tuple[str, list[str], list[tuple[int, Any, list[Any]]]]:
    fields = model._meta.concrete_fields
    wanted: Any = model._meta.get_field(column)
    columns = ", ".join(map(_quoted, fields))
    statement = f"SELECT {columns} FROM {_table(model)} WHERE {_quoted(wanted)} = %s{lock}"  # noqa: S608
    converters = []
    for place, field in enumerate(fields):
        seen: Any = field.get_col(model._meta.db_table)
        steps = connection.ops.get_db_converters(seen) + seen.get_db_converters(connection)
        if steps:
            converters.append((place, seen, steps))
    return statement, [field.attname for field in fields], converters


@cache
def _change(model: type[Table], names: tuple[str, ...]) -> tuple[str, list[Any]]:
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    changes = ", ".join(f"{_quoted(field)} = %s" for field in fields)
    key = _quoted(model._meta.pk)
    return f"UPDATE {_table(model)} SET {changes} WHERE {key} = %s", fields  # noqa: S608


def _table(model: type[Table]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _quoted(field: Any) -> str:
    return connection.ops.quote_name(field.column)
