"""Acts: how many a second one process does, with ledger entry and message, on either database.

An offer of an access window and its withdrawal each write rows, two ledger entries, a signed
message and a job in one transaction; a reported finding writes its row, a ledger entry and a job.
The floor is one plain INSERT and its commit on the same database, in turns. Both wait for the
disk (SQLite: WAL with synchronous=FULL).
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.databases import postgres
from benchmarks.instances import found, tell_story
from benchmarks.result import Result, Skipped, Spread, tell

FLOOR = "plain INSERT and commit"


def run(quick: bool) -> list[Result]:
    results = []
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        databases = {"SQLite": ""}
        try:
            databases["PostgreSQL"] = stack.enter_context(postgres())
        except Skipped as why:
            tell(f"  {why}")
        for database, url in databases.items():
            for profile in ("lab", "clearinghouse"):
                folder = Path(name) / f"{database}-{profile}"
                found(folder, profile, url.replace("DATABASE", profile))
                rounds, number = (1, 4) if quick else (10, 50)
                told = tell_story("rates", folder, profile, rounds, number)
                floor = told.pop("floor")
                results += [
                    Result(f"{what}, {database}", "a second", Spread(**s), Spread(**floor), FLOOR)
                    for what, s in told.items()
                ]
    return results
