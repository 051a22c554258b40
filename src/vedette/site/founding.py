"""Found an instance: its folder, settings, keys, database and first administrator."""

from __future__ import annotations

import secrets
from pathlib import Path

from vedette.kernel.errors import BadInput
from vedette.kernel.ids import new_id
from vedette.kernel.keys import PrivateKeys
from vedette.kernel.permissions import Profile
from vedette.site.boot import boot
from vedette.site.config import write_config


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
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "keys").mkdir(mode=0o700, exist_ok=True)
    (folder / "files" / "mail").mkdir(parents=True, exist_ok=True)
    PrivateKeys.generate().save(folder / "keys" / "instance.key")
    secret = folder / "keys" / "django.key"
    secret.touch(mode=0o600)
    secret.write_text(secrets.token_urlsafe(48) + "\n", encoding="ascii")
    values = {"profile": str(profile), "name": name, "org": new_id("org"), "bind": bind}
    values["url"] = url or f"http://{bind}"
    if database:
        values["database"] = database
    if demo:
        values["demo"] = "yes"
    write_config(folder, values)
    boot(folder)
    migrate_database()
    from vedette.services.accounts import found

    return f"{values['url']}/welcome/{found(email)}/"


def migrate_database() -> None:
    """Bring the database up to date, with row-level security and triggers laid again."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
