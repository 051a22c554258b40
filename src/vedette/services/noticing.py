"""What a match makes of an inventory's notices.

Rules:
- One notice for a vulnerability of an inventory, whatever takings of it and revisions follow.
- A deadline counts from the notice's first day; facts that make it more urgent count from their
  own day; a re-match never lengthens a deadline whose facts did not change.
- A patch counts as verified when a newer taking no longer holds what was found, and as failed when
  a newer taking still does, or when a newer record asks for another fix than the answered one.
- What is no longer found without a change of the system (a record was corrected or withdrawn) is
  marked so, and verifies nothing.
- The owner alone sees a notice, on whichever instance it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from vedette.clearinghouse.machine import Party
from vedette.clearinghouse.priority import decide
from vedette.clearinghouse.remediation import Remediation
from vedette.clearinghouse.states import NOTICE, NoticeState
from vedette.clearinghouse.waves import NoticeRank, order
from vedette.kernel.clock import format_time
from vedette.kernel.events import Event
from vedette.matching.index import Index
from vedette.matching.model import Component
from vedette.services import answers
from vedette.services.acting import Actor, Doing, instance_actor
from vedette.services.ledgers import Happened
from vedette.services.matched import Found
from vedette.store import rows
from vedette.store.models import Inventory, Notice, NoticeName

NOT_FOUND = "unaffected"


def owner_of(org: str) -> Actor:
    """The instance itself, working for one of its organisations."""
    return replace(instance_actor(), org=org)


def bring_up_to_date(
    doing: Doing,
    inventory: Inventory,
    found: Iterable[Found],
    notices: Sequence[Notice],
    indexes: Sequence[Index],
    components: Iterable[Component] | None = None,
) -> int:
    """Make the notices say what was found; return how many vulnerabilities that were.

    Args:
        notices: every one that what was found, or is no longer found, can be about, oldest first.
        components: of the whole inventory, so that patches can be verified; None verifies nothing.
    """
    left, names = dict(enumerate(notices)), {}
    places: dict[str, list[int]] = {}
    for place, notice in left.items():
        places.setdefault(notice.advisory, []).append(place)
    new: list[Notice] = []
    for one in found:
        known = [p for name in one.names for p in places.get(name, ()) if p in left]
        if known:
            notice = left.pop(min(known))
            _found_again(doing, notice, inventory, one)
        else:
            notice = _new(doing, inventory, one)
            new.append(notice)
        names[notice.id] = one.known_as
    held = None if components is None else {(c.id, c.version) for c in components}
    for notice in left.values():
        _no_longer_found(doing, notice, inventory, held, indexes)
    if names or left:
        _rank(inventory.org_id, new)
        _send(doing, new)
        _name(inventory.org_id, names)
    return len(names)


def notices_of(inventory: Inventory) -> Any:
    """The notices of an inventory and its earlier takings, locked, oldest first."""
    return (
        Notice.objects.select_for_update(of=("self",))
        .select_related("inventory")
        .defer("inventory__data")
        .filter(org_id=inventory.org_id, inventory__name=inventory.name)
        .order_by("sent_at", "pk")
    )


def move(doing: Doing, notice: Notice, trigger: str, party: Party, why: dict[str, Any]) -> None:
    """Take one row of the notice's machine and record it; the caller saves. Raises Refused."""
    row = NOTICE.step(notice.state, trigger, party)
    notice.state = row.target
    doing.record(row.event, notice.id, {"state": notice.state, **why}, marking=notice.marking)


def _name(org: str, names: dict[str, frozenset[str]]) -> None:
    """Keep by which names the records of these notices are known."""
    own = NoticeName.objects.filter(notice_id__in=names).values_list("pk", "notice_id", "name")
    kept = {(notice, name): pk for pk, notice, name in own}
    wanted = {(notice, name) for notice, own in names.items() for name in own}
    NoticeName.objects.filter(pk__in=[kept[one] for one in kept.keys() - wanted]).delete()
    missing = sorted(wanted - kept.keys())
    rows.insert_many([NoticeName(org_id=org, notice_id=n, name=name) for n, name in missing])


def _new(doing: Doing, inventory: Inventory, found: Found) -> Notice:
    notice = Notice(
        org_id=inventory.org_id,
        inventory=inventory,
        site=inventory.site,
        advisory=found.lead,
        sent_at=doing.now,
    )
    _describe(doing, notice, found)
    return notice


def _send(doing: Doing, new: Sequence[Notice]) -> None:
    """Write new notices, each with its entry: thousands, where an inventory is matched first."""
    rows.insert_many(new)
    doing.record_new(
        [
            Happened(
                Event.OPERATOR_NOTICE_RECEIVED,
                each.id,
                {"advisory": each.advisory, "row": each.row, "inventory": each.inventory_id},
                each.marking,
            )
            for each in new
        ]
    )


def _found_again(doing: Doing, notice: Notice, inventory: Inventory, found: Found) -> None:
    newer = notice.inventory_id != inventory.id
    changed = notice.remedy != found.remedy
    settled = notice.state in (NoticeState.PATCHED, NoticeState.VERIFIED)
    notice.inventory, notice.site = inventory, inventory.site
    _describe(doing, notice, found)
    if newer or changed:
        _take_back_marks(doing, notice, inventory)
    if settled and (newer or changed):
        why = {
            "inventory": inventory.id,
            "why": f"the inventory taken {format_time(inventory.taken_at)} still holds it"
            if newer
            else "the records now ask for another fix than the one answered",
        }
        notice.verified_at = None
        notice.evidence = {"failed": why}
        move(doing, notice, "find unpatched", Party.EXECUTION, why)
        answers.tell(doing, notice)
    notice.save()


def _take_back_marks(doing: Doing, notice: Notice, inventory: Inventory) -> None:
    """What is still found, or found with another fix, is not done, whoever marked it so."""
    found = [match["component"] for match in notice.matches]
    done = notice.marks.filter(status=Remediation.DONE, component__in=found)
    components = sorted(done.values_list("component", flat=True))
    if components:
        done.delete()
        doing.record(
            Event.OPERATOR_PATCH_FAILED,
            notice.id,
            {"components": components, "inventory": inventory.id},
            marking=notice.marking,
        )


def _no_longer_found(
    doing: Doing,
    notice: Notice,
    inventory: Inventory,
    held: set[tuple[str, str]] | None,
    indexes: Sequence[Index],
) -> None:
    notice.verdict = NOT_FOUND
    still = held is None or any((m["component"], m["version"]) in held for m in notice.matches)
    newer = notice.inventory_id != inventory.id
    if notice.state == NoticeState.PATCHED and newer and not still:
        why = {
            "inventory": inventory.id,
            "why": f"the inventory taken {format_time(inventory.taken_at)} no longer holds it",
            "indexes": [index.name for index in indexes],
        }
        notice.verified_at = doing.now
        notice.evidence = {"verified": why}
        move(doing, notice, "verify", Party.EXECUTION, why)
        answers.tell(doing, notice)
    notice.save()


def _describe(doing: Doing, notice: Notice, found: Found) -> None:
    notice.also = [name for name in found.names if name != notice.advisory]
    notice.title = found.title[:300]
    notice.matches = list(found.matches)
    notice.remedy = found.remedy
    notice.naive = found.naive
    notice.verdict = found.verdict
    notice.facts = {
        **found.facts.to_json(),
        "criticality": found.criticality,
        "doubt": found.doubt,
        "matches_left_out": found.left_out,
        "revisions": found.revisions,
    }
    _set_deadline(doing, notice, found)


def _set_deadline(doing: Doing, notice: Notice, found: Found) -> None:
    pack, facts = doing.here.pack, found.facts

    def from_day(day: date) -> Any:
        return decide(pack, facts.kev, facts.exposed, facts.automatable, facts.impact, day)

    first = from_day(notice.sent_at.date())
    if first.row == notice.row:
        return
    before, new = notice.deadline, first.deadline
    if notice.row and new is not None and (before is None or new < before):
        today = from_day(doing.now.date()).deadline
        new = today if before is None else min(today, before)
    notice.row, notice.forensics, notice.deadline = first.row, first.forensics, new
    notice.pack_digest = pack.digest


def _rank(org: str, new: Sequence[Notice]) -> None:
    """Put an organisation's notices in order of urgency, among them new ones, not yet written."""
    known = list(
        Notice.objects.filter(org_id=org).only("org", "deadline", "forensics", "facts", "rank")
    )
    ranked = order(_ranks([*known, *new], org))
    ranks = {each.notice: rank for rank, each in enumerate(ranked, 1)}
    changed = [row for row in known if row.rank != ranks[row.id]]
    for row in (*changed, *new):
        row.rank = ranks[row.id]
    rows.update_many(changed, "rank")


def _ranks(notices: Iterable[Notice], org: str) -> list[NoticeRank]:
    return [
        NoticeRank(
            operator=org,
            notice=row.id,
            deadline=row.deadline,
            forensics=row.forensics,
            criticality=int(row.facts.get("criticality", 0)),
            doubt=int(row.facts.get("doubt", 0)),
        )
        for row in notices
    ]
