"""Findings imported from a file: streamed in batches, each one transaction; again changes nothing.

Rules:
- Memory does not grow with the file.
- Rows are compared within their batch and with the known findings of the same products.
- What can't be taken is returned with its line and reason; the rest is read on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from vedette.clearinghouse.findings import Finding as Given
from vedette.clearinghouse.machine import Party
from vedette.formats.findings_in import Rejection
from vedette.kernel.canonical import canonical, digest
from vedette.kernel.errors import Forbidden, NotFound
from vedette.kernel.events import Event
from vedette.kernel.markings import Marking
from vedette.kernel.permissions import Permission
from vedette.services import reproduction
from vedette.services.accounts import add_organisation, find_organisation
from vedette.services.acting import Actor, Doing, act, reading
from vedette.services.deconflict import ORIGINALS, worded
from vedette.services.findings import row_of
from vedette.services.parties import clearinghouse_only, readable
from vedette.store.models import Finding

BATCH = 500
MOST_KNOWN = 2_000


def import_findings(
    actor: Actor,
    rows: Iterable[Given | Rejection],
    *,
    reporter: str = "",
    rejected: Callable[[Rejection], None] = lambda rejection: None,
) -> dict[str, int]:
    """Take findings into the clearinghouse; returns accepted, already_known, duplicates, rejected.

    Args:
        rows: what `formats.findings_in.read_findings` yields.
        reporter: organisation, by name or id, that they belong to; the actor's own by default.
            One that is not here yet is added by whoever may invite.
        rejected: called with each rejection, in order.
    """
    clearinghouse_only()
    counts = {"accepted": 0, "already_known": 0, "duplicates": 0, "rejected": 0}
    actor.require(Permission.FINDING_REPORT)
    owner, name = _owner(actor, reporter) if reporter else (actor.org, actor.name)
    stream = _taken(actor, rows, counts, rejected)
    while batch := list(islice(stream, BATCH)):
        _import_batch(actor, [_row(given, owner, name) for given in batch], counts)
    return counts


def _owner(actor: Actor, reporter: str) -> tuple[str, str]:
    """Id and name of the reporting organisation, added where it is not here yet."""
    if not actor.host or not actor.may(Permission.CASE_COORDINATE):
        raise Forbidden("only the coordinator imports for another organisation")
    try:
        with reading(actor):
            org = find_organisation(reporter)
    except NotFound:
        if not actor.may(Permission.PERSON_INVITE):
            raise
        org = add_organisation(actor, reporter, "finder")
    return org.id, org.name


def _taken(
    actor: Actor,
    rows: Iterable[Given | Rejection],
    counts: dict[str, int],
    rejected: Callable[[Rejection], None],
) -> Iterator[Given]:
    """The rows that can be taken; the others go to `rejected`."""
    for row in rows:
        refusal = row if isinstance(row, Rejection) else _refusal(actor, row)
        if refusal is None:
            assert isinstance(row, Given)
            yield row
        else:
            counts["rejected"] += 1
            rejected(refusal)


def _refusal(actor: Actor, given: Given) -> Rejection | None:
    if readable(actor, str(given.marking)):
        return None
    return Rejection(0, f"{given.id}: marking {given.marking} is above your clearance")


def _row(given: Given, owner: str, name: str) -> Finding:
    row = row_of(given, owner, reporter=name, external=given.id, origin="import")
    row.marking = str(Marking.parse(row.marking))
    return row


def _import_batch(actor: Actor, rows: list[Finding], counts: dict[str, int]) -> None:
    with act(actor, Permission.FINDING_REPORT) as doing:
        known = set(
            Finding.objects.filter(
                org_id=rows[0].org_id, key__in=[row.key for row in rows]
            ).values_list("key", flat=True)
        )
        new: dict[str, Finding] = {}
        for row in rows:
            if row.key in known or row.key in new:
                counts["already_known"] += 1
            else:
                new[row.key] = row
        if not new:
            return
        fresh = list(new.values())
        duplicates = _deconflict(doing, fresh)
        Finding.objects.bulk_create([row for row in fresh if row.id not in duplicates])
        for row in fresh:
            if row.id in duplicates:
                reproduction.mark_duplicate(doing, row, duplicates[row.id], Party.COORDINATOR)
        Finding.objects.bulk_create([row for row in fresh if row.id in duplicates])
        counts["accepted"] += len(fresh) - len(duplicates)
        counts["duplicates"] += len(duplicates)
        doing.record(
            Event.FINDING_IMPORT_FINISHED,
            rows[0].org_id,
            {"taken": len(fresh), "keys": digest(canonical(sorted(new)))},
        )
        for row in fresh:
            if row.recipe and row.id not in duplicates:
                doing.after(reproduction.reproduce_finding, finding_id=row.id)


def _deconflict(doing: Doing, fresh: list[Finding]) -> dict[str, Finding]:
    """Which of the fresh rows are duplicates, and of what; those have their reasons set."""
    from vedette.clearinghouse.duplicates import cluster

    products = {row.product for row in fresh if row.product}
    known = list(
        Finding.objects.filter(product__in=products, duplicate_of=None, state__in=ORIGINALS)
        .select_related("case")
        .order_by("received_at", "id")[:MOST_KNOWN]
    )
    lines = {line["id"]: line for line in cluster(worded(row) for row in [*known, *fresh])}
    first: dict[str, Finding] = {}
    found: dict[str, Finding] = {}
    for row in [*known, *fresh]:
        original = first.setdefault(lines[row.id]["cluster"], row)
        if original is not row and row not in known:
            row.why = [f"same as {original.id} by its report", *lines[row.id]["why"]]
            found[row.id] = original
    return found
