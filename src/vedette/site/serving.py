"""`vedette serve`: gunicorn with threads, and the worker beside it as a child process.

Both are forks of one process that has loaded the program, so that a small machine holds it once.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from django.db import connections
from gunicorn.app.base import BaseApplication

from vedette.kernel.errors import VedetteError
from vedette.services.here import here
from vedette.site.config import read_config
from vedette.site.worker import NAME, work
from vedette.site.wsgi import application


class Server(BaseApplication):
    """Gunicorn, configured from the instance."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for key, value in self.options.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        return application


def serve_instance(*, worker: bool) -> None:
    """Serve until a signal comes."""
    config = read_config(here().folder)
    connections.close_all()  # none is shared with a fork
    child = None
    if worker:
        child = get_context("fork").Process(target=_work_beside, args=(os.getpid(),))
        child.start()
    sys.stderr.write(f"vedette: {config.name} ({config.profile}) at {config.url}\n")
    try:
        Server(
            {
                "bind": config.bind,
                "workers": 1,
                "preload_app": True,
                "worker_class": "gthread",
                "threads": config.threads,
                "timeout": 0,
                "keepalive": 30,
                "graceful_timeout": 5,
                "loglevel": "warning",
                "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: S108
                "control_socket_disable": True,
            }
        ).run()
    finally:
        if child is not None:
            child.terminate()
            child.join(timeout=15)


def _work_beside(server: int) -> None:
    with suppress(OSError):  # its name in a list of processes, where the system has such names
        Path("/proc/self/comm").write_text(NAME)
    try:
        work(server=server)
    except VedetteError as error:
        sys.stderr.write(f"vedette: {error}\n")
        sys.exit(error.exit_code)
