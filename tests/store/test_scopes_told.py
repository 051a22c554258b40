"""PostgreSQL has the scope that Python has at each statement, through savepoints and faults."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vedette.store.scopes import NOBODY, SYSTEM, Scope
from vedette.store.tenancy import scoped

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="row-level security is PostgreSQL's"
)
SCOPES = (SYSTEM, Scope(org="org-one"), Scope(org="org-two", host=True), NOBODY)


def seen() -> Scope:
    """What the database goes by, asked with a statement of its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('vedette.org', true), current_setting('vedette.host', true),"
            " current_setting('vedette.system', true)"
        )
        org, host, system = cursor.fetchone()
    return Scope(org=org or "", host=host == "1", system=system == "1")


def fail() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


class Undone(Exception):
    """Ends a block, whose savepoint or transaction is rolled back."""


def walk(steps: list[tuple[str, int]], scope: Scope | None) -> None:
    """Go through steps as deep as they lead, asking the database on the way in and out."""
    assert seen() == (scope or NOBODY)
    if not steps:
        return
    (what, number), rest = steps[0], steps[1:]
    match what:
        case "scope":
            with scoped(SCOPES[number]):
                walk(rest, SCOPES[number])
        case "kept":
            with transaction.atomic():
                walk(rest, scope)
        case "undone":
            with suppress(Undone), transaction.atomic():
                walk(rest, scope)
                raise Undone
        case "fault":
            with suppress(DatabaseError), transaction.atomic(), scoped(SCOPES[number]):
                fail()
            walk(rest, scope)
    assert seen() == (scope or NOBODY)


STEPS = st.lists(
    st.tuples(st.sampled_from(["scope", "kept", "undone", "fault"]), st.integers(0, 3)), max_size=9
)
LOOSE = settings(max_examples=60, suppress_health_check=list(HealthCheck))


@LOOSE
@given(STEPS)
def test_within_one_transaction(db: None, steps: list[tuple[str, int]]) -> None:
    walk(steps, None)


def test_from_one_transaction_to_the_next(django_db_setup: None, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        for scope in (SCOPES[1], SCOPES[1], SCOPES[2]):
            with scoped(scope):
                assert seen() == scope
            with transaction.atomic():
                assert seen() == NOBODY
            with suppress(Undone), scoped(scope):
                assert seen() == scope
                raise Undone
            with suppress(DatabaseError), scoped(scope):
                fail()
        connection.close()
        with scoped(SCOPES[2]):
            assert seen() == SCOPES[2]
        connection.close()
