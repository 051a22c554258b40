"""`vedette serve`: gunicorn with threads, and the worker beside it as a child process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

from gunicorn.app.base import BaseApplication

from vedette.services.here import here
from vedette.site.config import read_config
from vedette.site.worker import PARENT


class Server(BaseApplication):
    """Gunicorn, configured from the instance."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for key, value in self.options.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        from vedette.site.wsgi import application

        return application


def serve_instance(*, worker: bool) -> None:
    """Serve until a signal comes."""
    config = read_config(here().folder)
    child: subprocess.Popen[bytes] | None = None
    if worker:
        beside = {**os.environ, PARENT: str(os.getpid())}
        child = subprocess.Popen([sys.executable, "-m", "vedette", "worker"], env=beside)
    sys.stderr.write(f"vedette: {config.name} ({config.profile}) at {config.url}\n")
    try:
        Server(
            {
                "bind": config.bind,
                "workers": 1,
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
            child.send_signal(signal.SIGTERM)
            child.wait(timeout=15)
