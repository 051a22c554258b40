"""Jobs behind one `enqueue()`, retried with a cap, and deadlines that `tick` turns into jobs.

A job is a function registered with `@job`; it must be idempotent, because a worker may die after
doing the work and before saying so. Its arguments are JSON.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from vedette.kernel.errors import VedetteError
from vedette.services.here import here
from vedette.store.models import Schedule
from vedette.store.tenancy import SYSTEM, scoped

log = logging.getLogger("vedette.jobs")
F = TypeVar("F", bound=Callable[..., Any])
MAX_ATTEMPTS = 6
_jobs: dict[str, Callable[..., Any]] = {}
_queues: dict[str, str] = {}


def job(*, queue: str = "default") -> Callable[[F], F]:
    """Register a function as a job; `long` jobs have a worker thread of their own."""

    def register(function: F) -> F:
        name = job_name(function)
        _jobs[name] = function
        _queues[name] = queue
        return function

    return register


def job_name(function: Callable[..., Any]) -> str:
    return f"{function.__module__.removeprefix('vedette.services.')}.{function.__name__}"


@task()
def run_job(name: str, arguments: dict[str, Any], attempt: int) -> None:
    """Run one registered job; on a failure enqueue it again, up to MAX_ATTEMPTS."""
    try:
        _jobs[name](**arguments)
    except VedetteError as error:
        log.warning("job %s: %s", name, error)
    except Exception:
        log.exception("job %s failed (attempt %d)", name, attempt)
        if attempt < MAX_ATTEMPTS:
            _enqueue(name, arguments, attempt + 1)
        raise


def _enqueue(name: str, arguments: dict[str, Any], attempt: int) -> None:
    delay = timedelta(seconds=2**attempt) if attempt > 1 else None
    options: dict[str, Any] = {"queue_name": _queues[name]}
    if delay:
        options["run_after"] = timezone.now() + delay
    run_job.using(**options).enqueue(name, arguments, attempt)


def enqueue(function: Callable[..., Any], **arguments: Any) -> None:
    """Enqueue a job in the current transaction."""
    _enqueue(job_name(function), arguments, 1)


def schedule(name: str, function: Callable[..., Any], due_at: datetime, **arguments: Any) -> None:
    """Set a deadline: at `due_at` the job is enqueued once. The same name replaces it."""
    with scoped(SYSTEM):
        Schedule.objects.bulk_create(
            [
                Schedule(
                    name=name,
                    org_id=here().org,
                    job=job_name(function),
                    arguments=arguments,
                    due_at=due_at,
                )
            ],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["org", "job", "arguments", "due_at", "done_at"],
        )


def every_day(name: str, function: Callable[..., Any], at: time) -> None:
    """See to it that a job without arguments is due at the next such hour, UTC."""
    with scoped(SYSTEM):
        if Schedule.objects.filter(name=name, done_at=None).exists():
            return
    now = here().clock.now()
    due = datetime.combine(now.date(), at, now.tzinfo)
    schedule(name, function, due if due > now else due + timedelta(days=1))


def tick() -> int:
    """Enqueue what is due, each deadline once; idempotent. Returns how many were due."""
    now = here().clock.now()
    with transaction.atomic(), scoped(SYSTEM):
        due = list(
            Schedule.objects.select_for_update()
            .filter(done_at=None, due_at__lte=now)
            .order_by("due_at")
        )
        for row in due:
            _enqueue(row.job, row.arguments, 1)
            row.done_at = now
            row.save(update_fields=["done_at"])
    return len(due)
