"""Back an instance up into one file, and bring it back.

SQLite is copied through its own backup API, so a running instance gives a consistent copy. The keys
of access windows stay out of it, so that destroying one reaches every copy: what is sealed under a
key that is lost is lost with it, and the lab can send it again.
"""

from __future__ import annotations

import os
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from django.conf import settings

from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.sealing import FOLDER
from vedette.services.here import here

SKIPPED = ("files/cache", "files/static", "files/worker.lock", f"{FOLDER}/")


def make_backup(file: Path) -> int:
    """Write the instance to `file` (tar.gz, mode 600) and return its size in bytes."""
    folder = here().folder
    if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":
        raise Refused(
            "this instance's database is PostgreSQL",
            next_step="back it up with pg_dump, and the folder with tar",
        )
    partial = file.with_name(file.name + ".partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with (
        tempfile.TemporaryDirectory() as scratch,
        os.fdopen(handle, "wb") as raw,
        tarfile.open(fileobj=raw, mode="w:gz") as archive,
    ):
        copy = Path(scratch) / "db.sqlite3"
        with (
            closing(sqlite3.connect(folder / "db.sqlite3")) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        archive.add(copy, "db.sqlite3")
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            if name.startswith(("db.sqlite3", *SKIPPED)) or not path.is_file():
                continue
            archive.add(path, name, recursive=False)
    partial.replace(file)
    return file.stat().st_size


def restore_backup(file: Path, folder: Path) -> None:
    """Unpack a backup into a new or empty folder."""
    if folder.exists() and any(folder.iterdir()):
        raise BadInput(f"{folder}: not empty", kept="all of it", next_step="name a new folder")
    try:
        with tarfile.open(file, "r:gz") as archive:
            if "vedette.toml" not in archive.getnames():
                raise BadInput(f"{file}: no backup of an instance")
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / "keys").mkdir(mode=0o700)
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BadInput(f"{file}: can't be unpacked ({error})") from None
