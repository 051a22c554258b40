"""Found an instance: its folder, settings, keys, database and first administrator."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from vedette.kernel.errors import BadInput
from vedette.kernel.ids import new_id
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.permissions import Profile
from vedette.site.boot import boot
from vedette.site.config import write_config

PARTS = ("vedette.toml", "keys", "files", "db.sqlite3")


def found_instance(
    folder: Path,
    *,
    profile: Profile,
    name: str,
    email: str,
    url: str,
    bind: str,
    database: str,
    demo: bool,
) -> str:
    """Found an instance in `folder` and return the first administrator's one-time link."""
    if (folder / "vedette.toml").exists():
        raise BadInput(
            f"{folder}: an instance is here already", kept="all of it", next_step="vedette check"
        )
    taken = [name for name in PARTS if (folder / name).exists()]
    if taken:
        raise BadInput(
            f"{folder}: {taken[0]} is here already", kept="all of it", next_step="name a new folder"
        )
    new = not folder.exists()
    values = {"profile": str(profile), "name": name, "org": new_id("org"), "bind": bind}
    values["url"] = url or f"http://{bind}"
    if database:
        values["database"] = database
    if demo:
        values["demo"] = "yes"
    try:
        _lay_out(folder, values)
        boot(folder)
        migrate_database()
        from vedette.services.accounts import found

        return f"{values['url']}/welcome/{found(email)}/"
    except BaseException:
        # nobody has this instance's card yet, so nothing is lost with it
        _take_away(folder, whole=new)
        raise


def _take_away(folder: Path, *, whole: bool) -> None:
    for path in [folder] if whole else [folder / name for name in PARTS]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _lay_out(folder: Path, values: dict[str, str]) -> None:
    """Make the folder, readable by its owner alone, with keys and settings."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "keys").mkdir(mode=0o700)
    (folder / "files" / "mail").mkdir(parents=True)
    PrivateKeys.generate().save(folder / "keys" / "instance.key")
    secret = folder / "keys" / "django.key"
    secret.touch(mode=0o600)
    secret.write_text(secrets.token_urlsafe(48) + "\n", encoding="ascii")
    write_config(folder, values)


def migrate_database() -> None:
    """Bring the database up to date, with row-level security and triggers laid again."""
    from django.core.management import call_command
    from django.db import Error

    from vedette.store.creation import create_tables, is_empty

    try:
        if is_empty():
            create_tables()
        else:
            call_command("migrate", verbosity=0, interactive=False)
    except Error as error:
        raise BadInput(
            f"the database can't be set up: {str(error).splitlines()[0]}",
            kept="the database as it was",
            next_step="name one that this role owns: createdb --owner ROLE NAME",
        ) from None
