"""What a delegate does for the operators that mandated it: one inbox, answers, inventories.

Rules:
- Everything is read with the delegate's own eyes: the managers, and PostgreSQL's row-level
  security, show it what a mandate in force covers, and nothing else of an operator.
- An act is done for one operator under one mandate, by name: "PERSON of DELEGATE for OPERATOR
  under MANDATE". It stands in the operator's own ledger, and the operator sees who answered.
- Undoing gives back only what a delegate's own people answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from vedette.clearinghouse.mandates import MandateAct, MandateState
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.permissions import Permission
from vedette.services import asset_matches, bulk_answers, inventories, notices, scores
from vedette.services.acting import Actor, reading
from vedette.services.bulk_answers import MOST_AT_ONCE, Answered
from vedette.services.notices import OPEN
from vedette.services.operator_views import narrowed, rows_of
from vedette.services.parties import clearinghouse_only
from vedette.store.models import (
    AssetMark,
    Inventory,
    Mandate,
    MandateReach,
    Notice,
)
from vedette.store.tenancy import SYSTEM, scoped

_NEEDS = {
    MandateAct.READ: Permission.MANDATE_READ,
    MandateAct.KEEP: Permission.MANDATE_USE,
    MandateAct.ANSWER: Permission.MANDATE_USE,
    MandateAct.STATE: Permission.MANDATE_USE,
}
_GIVES = {
    MandateAct.READ: Permission.NOTICE_READ,
    MandateAct.KEEP: Permission.INVENTORY_EDIT,
    MandateAct.ANSWER: Permission.ANSWER_GIVE,
    MandateAct.STATE: Permission.ANSWER_GIVE,
}


@dataclass(frozen=True)
class Operator:
    """An operator that mandated the delegate, with what waits there."""

    id: str
    name: str
    mandate: str
    ends_at: datetime
    acts: tuple[str, ...]
    open: int = 0
    overdue: int = 0


def acting(actor: Actor, operator: str, act: MandateAct, site: str = "") -> Actor:
    """The delegate's person, as it acts for an operator under the mandate that covers the act.

    Raises NotFound where no mandate in force says anything of that operator and site, Refused
    where one does, but not this act.
    """
    actor.require(_NEEDS[act])
    with reading(actor) as instance:
        now = instance.clock.now()
        placed = MandateReach.objects.filter(
            Q(site="") | Q(site=site),
            delegate_id=actor.org,
            operator_id=operator,
            starts_at__lte=now,
            ends_at__gt=now,
        )
        rows = list(placed.select_related("mandate").order_by("-ends_at", "pk"))
    if not rows:
        raise NotFound(f"operator {operator[:40]!r} is not here")
    found = next((row for row in rows if row.act == act), None)
    if found is None:
        raise Refused(
            f"the mandate of {rows[0].mandate.operator_name} is not for this ({act})",
            kept="everything as it was",
            next_step="ask the operator for a mandate that is",
        )
    mandate = found.mandate
    own = {row.act for row in rows if row.mandate_id == mandate.id}
    return replace(
        actor,
        org=operator,
        role="delegate",
        name=(
            f"{actor.name[:60]} of {mandate.delegate_name[:60]}, for {mandate.operator_name[:60]}"
            f" under {mandate.id}"
        ),
        permissions=frozenset(
            _GIVES[each] for each in MandateAct if each in own and actor.may(_NEEDS[each])
        ),
        host=False,
        delegate=actor.org,
        mandate=mandate.id,
    )


def inbox(actor: Actor) -> QuerySet[Notice]:
    """The notices of every operator that lets them be read: a lazy query, most urgent first.

    Those of one advisory stand together, so that they can be answered together.

    For use under the actor's scope, which is what keeps it within the mandates.
    """
    clearinghouse_only()
    actor.require(Permission.MANDATE_READ)
    rows = Notice.objects.select_related("inventory").defer("inventory__data")
    return rows.filter(org_id__in=mandating(actor)).order_by(
        F("deadline").asc(nulls_last=True), "-forensics", "advisory", "pk"
    )


def mandating(actor: Actor) -> QuerySet[Any]:
    """The operators with any mandate in force, so that a query need not look at all rows."""
    return MandateReach.objects.filter(delegate_id=actor.org).values("operator_id")


def delegated_notices(
    actor: Actor,
    *,
    operator: str = "",
    state: str = "",
    only_open: bool = False,
    inventory: str = "",
    verdict: str = "",
    confidence: str = "",
    row: str = "",
    text: str = "",
    grouped: bool = False,
) -> QuerySet[Notice]:
    """The inbox narrowed; `grouped` puts the notices of one operator together."""
    rows = inbox(actor)
    rows = rows.filter(org_id=operator) if operator else rows
    rows = rows.filter(state=state) if state else rows
    rows = rows.filter(OPEN) if only_open else rows
    rows = narrowed(rows, inventory, verdict, confidence, row, text)
    return rows.order_by("org_id", "rank", "pk") if grouped else rows


def chosen_from(actor: Actor) -> tuple[list[str], list[str]]:
    """What the inbox can be narrowed to: names of inventories, and rows of the priority table."""
    rows = Inventory.objects.filter(current=True, org_id__in=mandating(actor)).order_by("name")
    names = list(rows.values_list("name", flat=True).distinct())
    return names, rows_of(inbox(actor))


def operators(actor: Actor) -> list[Operator]:
    """The operators whose mandates are in force now, by name, with what is open in each."""
    clearinghouse_only()
    with reading(actor, Permission.MANDATE_READ) as instance:
        now = instance.clock.now()
        rows = Mandate.objects.filter(
            delegate_id=actor.org,
            state=MandateState.IN_FORCE,
            starts_at__lte=now,
            ends_at__gt=now,
        ).order_by("operator_name", "-ends_at")
        found: dict[str, Operator] = {}
        for row in rows:
            known = found.get(row.org_id)
            acts = sorted({*row.acts, *(known.acts if known else ())})
            if known:
                found[row.org_id] = replace(known, acts=tuple(acts))
            else:
                found[row.org_id] = Operator(
                    row.org_id, row.operator_name, row.id, row.ends_at, tuple(acts)
                )
        late = OPEN & Q(deadline__lt=now.date())
        counted = inbox(actor).order_by().values("org_id")
        for each in counted.annotate(n=Count("pk", filter=OPEN), late=Count("pk", filter=late)):
            if each["org_id"] in found:
                found[each["org_id"]] = replace(
                    found[each["org_id"]], open=each["n"], overdue=each["late"]
                )
    return list(found.values())


def names(actor: Actor) -> dict[str, str]:
    """The operators' names by their ids, of mandates in force."""
    return {each.id: each.name for each in operators(actor)}


def describe(row: Notice, known: dict[str, str]) -> dict[str, Any]:
    """A notice as JSON, with the operator that it belongs to."""
    operator = {"id": row.org_id, "name": known.get(row.org_id, "")}
    return {**notices.describe(row), "operator": operator}


def likely(rows: Iterable[Notice]) -> dict[str, float]:
    """The EPSS score of each of these notices, which the reader has found."""
    with scoped(SYSTEM):
        return scores.of_notices([row.id for row in rows])


def notice_view(actor: Actor, notice_id: str) -> dict[str, Any]:
    """One notice of an operator, with the answers that the mandate lets be given."""
    row = find(actor, notice_id)
    found = notices.notice_view(_for(actor, row, MandateAct.READ), notice_id)
    covered = _acts(actor, row)
    may = MandateAct.ANSWER in covered
    if not may:
        found["answers"] = []
    with reading(actor, Permission.MANDATE_READ):
        marks = AssetMark.objects.filter(notice_id=notice_id)
        found["marks"] = dict(marks.values_list("component", "status"))
    found["may_mark"], found["may_say"] = may, MandateAct.STATE in covered
    return {**found, "operator": {"id": row.org_id, "name": names(actor).get(row.org_id, "")}}


def find(actor: Actor, notice_id: str) -> Notice:
    """A notice that a mandate shows. Raises NotFound."""
    with reading(actor, Permission.MANDATE_READ):
        row = inbox(actor).filter(id=notice_id).first()
    if row is None:
        raise NotFound(f"notice {notice_id[:40]!r} is not here")
    return row


def _for(actor: Actor, row: Notice, act: MandateAct) -> Actor:
    return acting(actor, row.org_id, act, row.site)


def _acts(actor: Actor, row: Notice) -> set[str]:
    now_covered = set()
    for each in MandateAct:
        try:
            if actor.may(_NEEDS[each]):
                _for(actor, row, each)
                now_covered.add(str(each))
        except Refused:
            continue
    return now_covered


def answer_several(
    actor: Actor,
    wanted: Iterable[str],
    state: str,
    control: str = "",
    expires: datetime | None = None,
) -> Answered:
    """Give one answer to notices of several operators, each under its own mandate.

    Raises BadInput for none or too many, NotFound for one that no mandate shows.
    """
    actor.require(Permission.MANDATE_USE)
    ids = list(dict.fromkeys(wanted))
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise BadInput(f"notices: {len(ids)} named, 1 to {MOST_AT_ONCE} expected")
    with reading(actor):
        rows = {row.id: row for row in inbox(actor).filter(id__in=ids)}
    for notice_id in ids:
        if notice_id not in rows:
            raise NotFound(f"notice {notice_id[:40]!r} is not here", kept="every notice as it was")
    by: dict[str, Actor] = {}
    refused = []
    for notice_id in ids:
        try:
            by[notice_id] = _for(actor, rows[notice_id], MandateAct.ANSWER)
        except Refused as error:
            refused.append((notice_id, error))
    made = bulk_answers.answer_each(by, state, control, expires)
    return replace(made, refused=(*refused, *made.refused))


def in_batch(actor: Actor, batch: str) -> list[Notice]:
    """The notices whose last answer came with that batch, given by the delegate's own people."""
    with reading(actor, Permission.MANDATE_READ):
        own = Mandate.objects.filter(delegate_id=actor.org).values("id")
        return bulk_answers.standing(inbox(actor).filter(mandate__in=own), batch)


def undo(actor: Actor, batch: str) -> Answered:
    """Give the notices of a batch the answers back that they had. Raises NotFound."""
    actor.require(Permission.MANDATE_USE)
    rows = in_batch(actor, batch)
    return bulk_answers.give_back(batch, rows, lambda row: _for(actor, row, MandateAct.ANSWER))


def take_inventory(
    actor: Actor, operator: str, name: str, data: bytes, *, exposed: bool = False, site: str = ""
) -> Inventory:
    """Take an inventory for an operator: at the site said, else where it was, else its name."""
    clearinghouse_only()
    name = name.strip()
    stood = _site_of(operator, name)
    by = acting(actor, operator, MandateAct.KEEP, site.strip() or stood or name)
    if stood:
        acting(actor, operator, MandateAct.KEEP, stood)
    return inventories.take_inventory(by, name, data, exposed=exposed, site=site)


def _site_of(operator: str, name: str) -> str:
    """Where an operator's inventory stands now, whoever sees it."""
    with scoped(SYSTEM):
        rows = Inventory.objects.filter(org_id=operator, name=name, current=True)
        return str(rows.values_list("site", flat=True).first() or "")


def take_by_site(
    actor: Actor, operator: str, name: str, data: bytes, *, exposed: bool = False
) -> list[Inventory]:
    """Take an operator's asset list as one inventory a site. Raises NotFound, Refused.

    Every site that the list names must be covered: of a list that names others nothing is kept.
    """
    clearinghouse_only()
    with reading(actor, Permission.MANDATE_USE):
        if not mandating(actor).filter(operator_id=operator).exists():
            raise NotFound(f"operator {operator[:40]!r} is not here")
        parts = inventories.parts_by_site(operator, name, data)
    by = {site: acting(actor, operator, MandateAct.KEEP, site) for site in parts}
    return inventories.keep_parts(by, name, parts, exposed=exposed)


def mark_assets(actor: Actor, notice_id: str, components: Sequence[str], status: str) -> Notice:
    """Mark single assets of an operator's notice, as `asset_matches.mark_assets` does."""
    row = find(actor, notice_id)
    by = _for(actor, row, MandateAct.ANSWER)
    return asset_matches.mark_assets(by, notice_id, components, status)


def kept_inventories(actor: Actor) -> list[dict[str, Any]]:
    """The current inventories of every operator that a mandate covers, without their content."""
    clearinghouse_only()
    known = names(actor)
    with reading(actor, Permission.MANDATE_READ):
        rows = Inventory.objects.defer("data").filter(current=True, org_id__in=mandating(actor))
        found = [
            {
                **inventories.describe(row),
                "operator": {"id": row.org_id, "name": known.get(row.org_id, "")},
            }
            for row in rows.order_by("org_id", "name")
        ]
    return sorted(found, key=lambda each: str(each["operator"]["name"]))
