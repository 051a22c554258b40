"""Tables made in one go from the models are those that migrating makes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection

CATALOGUE = {
    "sqlite": [
        "SELECT type, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL",
        "SELECT app, name FROM django_migrations",
    ],
    "postgresql": [
        "SELECT table_name, column_name, data_type, is_nullable, column_default,"
        " character_maximum_length, is_identity FROM information_schema.columns"
        # Django's migrations give this table a wider key than its models do; nothing here uses it
        " WHERE table_schema = 'public' AND table_name != 'auth_group_permissions'",
        "SELECT tablename, regexp_replace(indexdef, 'INDEX \\S+ ', '') FROM pg_indexes"
        " WHERE schemaname = 'public'",
        "SELECT conrelid::regclass::text, contype::text, pg_get_constraintdef(oid)"
        " FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
        "SELECT tablename, policyname, cmd, qual, with_check FROM pg_policies",
        "SELECT event_object_table, trigger_name, event_manipulation"
        " FROM information_schema.triggers",
        "SELECT app, name FROM django_migrations",
    ],
}
SHOW = """
import json, sys
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from vedette.store.creation import create_tables, is_empty
assert is_empty()
if sys.argv[1] == "created":
    create_tables()
else:
    call_command("migrate", verbosity=0, interactive=False)
assert not is_empty()
with connection.cursor() as cursor:
    found = []
    for query in json.loads(sys.argv[2]):
        cursor.execute(query)
        found.append([list(map(str, row)) for row in cursor.fetchall()])
print(json.dumps(found))
"""


@pytest.fixture
def empty() -> Iterator[Callable[[], str]]:
    """Make a database without tables and return its address, "" for SQLite's in memory."""
    given = os.environ.get("VEDETTE_TEST_DATABASE", "")
    made: list[str] = []

    def make() -> str:
        if not given:
            return ""
        made.append(f"empty_{os.getpid()}_{len(made)}")
        ask(f"CREATE DATABASE {made[-1]}")
        return given.replace("/postgres?", f"/{made[-1]}?")

    def ask(query: str) -> None:
        with psycopg.connect(given, autocommit=True) as server:
            server.execute(query.encode())

    yield make
    for name in made:
        ask(f"DROP DATABASE {name}")


def catalogue(how: str, address: str) -> list[Any]:
    """What the database says of its tables, without the order of columns and names made up."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW, how, json.dumps(CATALOGUE[connection.vendor])],
        env={
            **os.environ,
            "VEDETTE_TEST_DATABASE": address,
            "DJANGO_SETTINGS_MODULE": "vedette.site.settings",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [sorted(map(_plain, rows)) for rows in json.loads(done.stdout)]


def _plain(row: list[str]) -> list[Any]:
    *before, last = row
    if last.startswith("CREATE TABLE"):
        return [*before, sorted(re.split(r", (?=\"|CONSTRAINT)", last.removesuffix(")")))]
    return row


@pytest.mark.any_database
def test_migrations_say_what_the_models_say() -> None:
    checking = ["-m", "django", "makemigrations", "store", "--check", "--dry-run"]
    done = subprocess.run(
        [sys.executable, *checking, "--settings", "vedette.site.settings"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# SQLite makes a table anew for each constraint
@(pytest.mark.long if connection.vendor == "sqlite" else lambda test: test)
def test_made_in_one_go_or_by_migrating_the_tables_are_the_same(empty: Callable[[], str]) -> None:
    made = catalogue("created", empty())
    assert all(made)
    for one, other in zip(made, catalogue("migrated", empty()), strict=True):
        assert [row for row in one if row not in other] == []
        assert [row for row in other if row not in one] == []
