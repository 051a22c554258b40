"""The worker: jobs on two queues (quick and long), deadlines, checkpoints.

One worker an instance: it holds a lock in the instance's folder, so jobs that an earlier worker
left half done can be taken up again at its start.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import threading
import time
from types import FrameType
from typing import Any

from django.db import close_old_connections, transaction
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from vedette.kernel.errors import Refused
from vedette.kernel.ids import new_id
from vedette.services import catalogue, feeds, handling, jobs, ledgers, private_found, unsealing
from vedette.services.here import here

log = logging.getLogger("vedette.worker")
# of a worker beside a server, in a list of processes
NAME = "vedette-worker"
TICK_SECONDS = 1.0
CHECKPOINT_SECONDS = 60.0
HANDLERS = catalogue.__all__


def work(*, once: bool = False, server: int | None = None) -> None:
    """Run until a signal comes; with `once`, do what is due and return.

    `server`: the process that runs this worker beside it, and with which it ends.
    """
    folder = here().folder
    with (folder / "files" / "worker.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused("a worker runs for this instance already") from None
        unsealing.tidy()
        take_up_again()
        handling.revisit()
        feeds.every_night()
        private_found.every_day()
        if once:
            _drain()
        else:
            _run(server)


def take_up_again() -> int:
    """Make jobs that a dead worker left running ready again; jobs are idempotent."""
    with transaction.atomic():
        return int(
            DBTaskResult.objects.filter(status="RUNNING").update(status="READY", worker_ids=[])
        )


def _drain() -> None:
    while jobs.tick() or DBTaskResult.objects.ready().exists():
        _worker("default", batch=True).run()
        _worker("long", batch=True).run()
    handling.handle_waiting()


def _worker(queue: str, *, batch: bool) -> Any:
    return Worker(
        queue_names=[queue],
        interval=0.3,
        batch=batch,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=new_id("worker"),
        excluded_queue_names=[],
    )


def _run(server: int | None) -> None:
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    workers = [_worker("default", batch=False), _worker("long", batch=False)]
    for each in workers:
        threading.Thread(target=_forever, args=(each, stop), daemon=True).start()
    last_checkpoint = 0.0
    while not stop.wait(TICK_SECONDS):
        if server is not None and os.getppid() != server:
            log.warning("the server that started this worker is gone; ending")
            break
        try:
            jobs.tick()
            handling.handle_due()
            if time.monotonic() - last_checkpoint > CHECKPOINT_SECONDS:
                ledgers.checkpoint()
                last_checkpoint = time.monotonic()
        except Exception:
            log.exception("tick failed; it is tried again")
        close_old_connections()
    for each in workers:
        each.running = False


def _forever(worker: Any, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            worker.run()
        except Exception:
            log.exception("a worker thread failed; it starts again")
            time.sleep(1)
