"""Start Django for one instance: the first thing a command, a server or a worker does."""

from __future__ import annotations

import atexit
import os
from pathlib import Path

import django
from django.db import connections

from vedette.kernel.collector import quiet_collector
from vedette.site.config import find_instance


def boot(folder: Path | None = None) -> Path:
    """Set Django up for the instance in `folder` (see `find_instance`), and return its folder."""
    found = find_instance(folder)
    os.environ["VEDETTE_INSTANCE"] = str(found)
    os.environ["DJANGO_SETTINGS_MODULE"] = "vedette.site.settings"
    with quiet_collector():
        django.setup()
    # what is never searched does not close by itself; SQLite's journal goes into its file then
    atexit.register(connections.close_all)
    # uploads on their way lie there (see settings), and what else no backup takes
    (found / "files" / "cache").mkdir(parents=True, exist_ok=True)
    return found
