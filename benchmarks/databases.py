"""A throw-away PostgreSQL that reaches the disk, and the bare floor on each database."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tests.with_postgres import ROLE, as_server, binaries, run

from benchmarks.result import Skipped


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL with its own defaults: a commit waits for the disk."""
    try:
        programs = binaries()
    except SystemExit as error:
        raise Skipped(str(error)) from None
    folder = Path(tempfile.mkdtemp(prefix="vedette-pg-"))
    data = folder / "data"
    as_whom = as_server([])
    if as_whom:
        shutil.chown(folder, "postgres")
    folder.chmod(0o755)
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}'"
    control = [str(programs / "pg_ctl"), "-D", str(data), "-w"]
    try:
        run(as_server([str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "admin"]))
        run(as_server([*control, "-l", str(folder / "log"), "-o", options, "start"]))
        try:
            psql = [str(programs / "psql"), "-h", str(folder), "-U", "admin", "-d", "postgres"]
            run(as_server([*psql, "-c", f"CREATE ROLE {ROLE} LOGIN CREATEDB"]))
            for name in ("lab", "clearinghouse"):
                run(as_server([*psql, "-c", f"CREATE DATABASE {name} OWNER {ROLE}"]))
            yield f"postgresql://{ROLE}@/DATABASE?host={quote(str(folder), safe='')}"
        finally:
            run(as_server([*control, "-m", "immediate", "stop"]))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def bare_insert() -> Callable[[], None]:
    """One row in a transaction of its own, on the instance's database and past Django."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        lite = sqlite3.connect(database["NAME"], isolation_level=None)
        for pragma in database["OPTIONS"]["init_command"].split(";"):
            lite.execute(pragma)
        lite.execute("CREATE TABLE IF NOT EXISTS floor (text TEXT)")

        def insert() -> None:
            lite.execute("BEGIN IMMEDIATE")
            lite.execute("INSERT INTO floor VALUES (?)", ("x" * 200,))
            lite.execute("COMMIT")

        return insert
    import psycopg

    server = psycopg.connect(
        dbname=database["NAME"], user=database["USER"], host=database["HOST"], autocommit=True
    )
    server.execute("CREATE TABLE IF NOT EXISTS floor (text TEXT)")

    def insert_there() -> None:
        with server.transaction():
            server.execute("INSERT INTO floor VALUES (%s)", ("x" * 200,))

    return insert_there
