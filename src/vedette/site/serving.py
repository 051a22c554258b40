"""`vedette serve`: gunicorn with threads, and the worker beside it as a child process.

Both are forks of one process that has loaded the program, so that a small machine holds it once.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db import connections
from gunicorn.app.base import BaseApplication

from vedette.kernel.errors import VedetteError
from vedette.services.here import here
from vedette.site.config import read_config
from vedette.site.worker import NAME, work
from vedette.site.wsgi import application

PATIENCE = 15.0


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
    server = os.getpid()
    beside = _fork_worker(server) if worker else None
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
        if beside is not None and os.getpid() == server:  # gunicorn's own forks come by here, too
            _end(beside)


def _fork_worker(server: int) -> int:
    """Start the worker and return its process id. It is no `multiprocessing` process, which every
    later fork would try to wait for."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        code = _work_beside(server)
    finally:
        sys.stderr.flush()
        os._exit(code)


def _end(process: int) -> None:
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(process, signal.SIGTERM)
        patience = time.monotonic() + PATIENCE
        while os.waitpid(process, os.WNOHANG) == (0, 0):
            if time.monotonic() > patience:
                os.kill(process, signal.SIGKILL)
            time.sleep(0.02)


def _work_beside(server: int) -> int:
    with suppress(OSError):  # its name in a list of processes, where the system has such names
        Path("/proc/self/comm").write_text(NAME)
    try:
        work(server=server)
    except VedetteError as error:
        sys.stderr.write(f"vedette: {error}\n")
        return error.exit_code
    return 0
