"""Runs the jobs that are due, as a worker would."""

from __future__ import annotations

from django_tasks_db.models import DBTaskResult

from vedette.services.jobs import run_job


def run_jobs(limit: int = 200) -> int:
    """Run waiting jobs, those they enqueue too, until none is left; return how many ran."""
    ran = 0
    while ran < limit:
        row = DBTaskResult.objects.filter(status="READY").order_by("enqueued_at").first()
        if row is None:
            return ran
        arguments = row.args_kwargs["args"]
        row.delete()
        run_job.func(*arguments)
        ran += 1
    raise AssertionError(f"more than {limit} jobs: one enqueues itself for ever")
