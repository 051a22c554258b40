"""Figures of the instance's own machinery, for its monitor."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count
from django_tasks_db.models import DBTaskResult

from vedette.services.acting import instance_actor, reading
from vedette.store.models import InMessage, LedgerHead, OutMessage, Schedule


@dataclass(frozen=True)
class Measure:
    """One metric: `values` are (label values, number) pairs."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: tuple[tuple[tuple[str, ...], float], ...]


def measures() -> list[Measure]:
    """Messages, jobs, deadlines and the ledger's length."""
    with reading(instance_actor()):
        head = LedgerHead.objects.first()
        return [
            Measure(
                "vedette_messages",
                "Messages by direction and state",
                ("direction", "state"),
                (*_by_state("out", OutMessage), *_by_state("in", InMessage)),
            ),
            Measure(
                "vedette_jobs",
                "Jobs by state",
                ("state",),
                tuple(
                    ((row["status"].lower(),), row["n"])
                    for row in DBTaskResult.objects.values("status").annotate(n=Count("pk"))
                ),
            ),
            Measure(
                "vedette_deadlines_open",
                "Deadlines that have not come",
                (),
                (((), Schedule.objects.filter(done_at=None).count()),),
            ),
            Measure(
                "vedette_ledger_entries",
                "Length of the ledger",
                (),
                (((), head.seq if head else 0),),
            ),
        ]


def _by_state(
    direction: str, model: type[OutMessage] | type[InMessage]
) -> tuple[tuple[tuple[str, ...], float], ...]:
    rows = model.objects.order_by().values("state").annotate(n=Count("pk"))
    return tuple(((direction, row["state"]), row["n"]) for row in rows)
