"""`vedette check`: what is misconfigured, and what is weaker than recommended."""

from __future__ import annotations

import shutil
import stat
from dataclasses import dataclass

from django.conf import settings
from django.core.checks import run_checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from vedette.kernel.classification import is_classified
from vedette.kernel.permissions import Profile
from vedette.kernel.sealing import FOLDER
from vedette.runner.private import places
from vedette.runner.runfolder import in_memory
from vedette.services import vault
from vedette.services.here import here


@dataclass(frozen=True)
class Result:
    """One line of the check: `level` is ok, weak or wrong."""

    level: str
    what: str
    next_step: str = ""


def check_instance() -> list[Result]:
    """Check the instance that is booted."""
    return [
        *_files(),
        *_window_keys(),
        *_database(),
        *_network(),
        *by_itself(),
        *_marking(),
        *_parts(),
        *_django(),
    ]


def _files() -> list[Result]:
    results = []
    for name in ("instance.key", "django.key"):
        path = here().folder / "keys" / name
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            results.append(
                Result("wrong", f"keys/{name} can be read by others", f"chmod 600 {path}")
            )
    return results or [Result("ok", "keys are readable by their owner alone")]


def by_itself() -> list[Result]:
    """What the instance was told to do by itself, and can't."""
    instance, results = here(), []
    if instance.feeds is not None:
        known = (Profile.CLEARINGHOUSE, Profile.OPERATOR)
        if instance.profile not in known:
            results.append(Result("wrong", f"feeds: a {instance.profile} takes none", "unset it"))
        elif not instance.feeds.is_dir():
            step = f"vedette feeds sync --to {instance.feeds} --source …"
            results.append(Result("wrong", f"feeds: {instance.feeds} is no folder", step))
        else:
            results.append(Result("ok", f"{instance.feeds} is taken every night"))
    if instance.ask_daily:
        if instance.profile == Profile.OPERATOR:
            results.append(Result("ok", "asks in private once a day"))
        else:
            said = f"ask_daily: a {instance.profile} asks nobody in private"
            results.append(Result("wrong", said, "unset it"))
    return results


def _window_keys() -> list[Result]:
    """The keys of access windows: each there, and readable by its owner alone."""
    if not vault.keeps_sealed():
        return []
    results = [
        Result(
            "wrong",
            f"the key {key} of {act} is not in {FOLDER}: what it sealed can't be read",
            "put its file back, or ask the lab to send it again; record it at /custody/",
        )
        for key, act in vault.missing_keys()
    ]
    for path in sorted((here().folder / FOLDER).glob("*.key")):
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            results.append(
                Result("wrong", f"{path.name} can be read by others", f"chmod 600 {path}")
            )
    results.append(
        Result(
            "ok",
            f"keys of windows lie in {FOLDER}, outside the database and every backup:"
            " without them a lab's material can't be read, and the lab can send it again",
        )
    )
    if not places():
        results.append(
            Result(
                "weak",
                "no file system in memory: no run opens the items of a sealed suite",
                "give the machine /dev/shm, or set XDG_RUNTIME_DIR to a tmpfs",
            )
        )
    if not in_memory():
        results.append(
            Result(
                "weak",
                "no room in memory for a run's logs: they touch the disk before they are sealed",
                "give /dev/shm 256 MiB or more",
            )
        )
    return results


def _database() -> list[Result]:
    executor = MigrationExecutor(connection)
    results = []
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        results.append(Result("wrong", "the database is behind this version", "vedette migrate"))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
            )
            row = cursor.fetchone()
        if row and row[0]:
            results.append(
                Result("wrong", "the database role bypasses row-level security", "use a plain role")
            )
    else:
        results.append(
            Result(
                "weak", "SQLite keeps tenants apart by the scoped managers alone", "use PostgreSQL"
            )
        )
    return results or [Result("ok", "the database is up to date, row-level security holds")]


def _network() -> list[Result]:
    results = []
    if not settings.SECURE:
        results.append(
            Result("weak", f"{here().url} is not https", "put a TLS proxy in front, set url")
        )
    if here().clock.simulated:
        results.append(Result("weak", "time is simulated", "only for a demo"))
    return results


def _marking() -> list[Result]:
    """A classified document names who classifies here; without a name none is made."""
    if is_classified(here().ceiling) and not here().classified_by:
        said = "classified material is taken, and nobody is named who classifies here"
        return [Result("weak", said, "set classified_by, or no such document can be made")]
    return []


def _parts() -> list[Result]:
    if shutil.which("bwrap"):
        return [Result("ok", "bubblewrap is here: hostile code can be run apart")]
    return [
        Result(
            "weak", "bubblewrap is missing: nothing can be reproduced", "apt-get install bubblewrap"
        )
    ]


def _django() -> list[Result]:
    return [
        Result("wrong", str(issue.msg), str(issue.hint or ""))
        for issue in run_checks()
        if issue.is_serious()
    ]
