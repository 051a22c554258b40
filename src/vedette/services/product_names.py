"""What was said of names for an operator: its asset is the product an advisory names, or another.

Rules:
- It is said of a match by words that a notice shows, and counts for every inventory of the
  organisation and every advisory that write the two so, until it is forgotten.
- What is said to be another product is listed with what VEX takes away, and can be lifted there.
- The newest word on two names counts. The operator's own counts before a delegate's, which takes
  back and overrules none of them; a delegate's at a site counts there before one for all sites.
- Each has the inventories matched anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission
from vedette.matching.said import Said, Word, pair
from vedette.services import matches
from vedette.services.acting import Actor, act, reading
from vedette.store.models import Notice, SaidName
from vedette.store.tenancy import SYSTEM, scoped

Place = tuple[str, str]


def said(org: str, site: str) -> Said:
    """What counts at a site, by the words of both names; under the instance's scope."""
    return said_each([(org, site)])[org, site]


def said_each(places: Collection[Place]) -> dict[Place, Said]:
    """The same of several, each an organisation and its site."""
    rows: dict[str, list[SaidName]] = {org: [] for org, _ in places}
    for row in SaidName.objects.filter(org_id__in=rows):
        rows[row.org_id].append(row)
    for own in rows.values():
        own.sort(key=_weight)
    return {
        (org, site): {
            pair(row.ours, row.theirs): Word(row.same, row.by)
            for row in rows[org]
            if row.site in ("", site)
        }
        for org, site in places
    }


def _weight(row: SaidName) -> tuple[Any, ...]:
    """Of two words the one with more of it counts."""
    return not row.mandate, bool(row.site), row.at, row.pk


def say(
    actor: Actor, notice_id: str, ours: str, theirs: str, same: bool, *, site: str = ""
) -> SaidName:
    """Say whether an asset is the product that it is matched with; at one site, or at all.

    Raises BadInput, NotFound; Refused where a delegate would overrule its operator.
    """
    with act(actor, Permission.ANSWER_GIVE) as doing:
        notice = Notice.objects.filter(org_id=actor.org, id=notice_id).first()
        if notice is None:
            raise NotFound(f"notice {notice_id[:40]!r} is not here")
        if (ours, theirs) not in pairs(notice.matches):
            raise BadInput(
                "theirs: the notice matches no such names",
                kept="what was said before",
                next_step="say it of names that the notice shows",
            )
        if actor.mandate and _said_itself(actor.org, ours, theirs):
            raise Refused(
                "the operator itself said something of these names",
                kept="what it said",
                next_step="ask the operator to take it back",
            )
        row, _ = SaidName.objects.update_or_create(
            org_id=actor.org,
            site=site,
            ours=ours,
            theirs=theirs,
            defaults={
                "same": same,
                "mandate": actor.mandate,
                "by": actor.name[:300],
                "at": doing.now,
            },
        )
        payload = {"ours": ours, "theirs": theirs, "same": same, "site": site}
        doing.record(Event.OPERATOR_NAME_SAID, row.id, payload)
        doing.after(matches.match_inventories, org=actor.org)
        return row


def _said_itself(org: str, ours: str, theirs: str) -> bool:
    """Whether an operator said something of two names, which its delegate may not be shown."""
    with scoped(SYSTEM):
        own = SaidName.objects.filter(org_id=org, mandate="").values_list("ours", "theirs")
        return any(pair(*each) == pair(ours, theirs) for each in own)


def forget(actor: Actor, said_id: str) -> None:
    """Take back what was said of two names. Raises NotFound."""
    with act(actor, Permission.ANSWER_GIVE) as doing:
        row = SaidName.objects.filter(org_id=actor.org, id=said_id).first()
        if row is None:
            raise NotFound(f"{said_id[:40]!r} was not said here")
        doing.record(
            Event.OPERATOR_NAME_FORGOTTEN, row.id, {"ours": row.ours, "theirs": row.theirs}
        )
        row.delete()
        doing.after(matches.match_inventories, org=actor.org)


def pairs(lines: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    """The names that lines matched by words have on both sides."""
    found = [(line["ours"], name) for line in lines for name in line.get("theirs", ())]
    return list(dict.fromkeys(found))


def listed(actor: Actor) -> list[dict[str, Any]]:
    """What was said for the actor's organisation, by its own names."""
    with reading(actor, Permission.NOTICE_READ):
        rows = SaidName.objects.filter(org_id=actor.org).order_by("ours", "theirs", "site")
        return [describe(row) for row in rows]


def describe(row: SaidName) -> dict[str, Any]:
    """A word on two names as JSON; the site is empty where it counts at all of them."""
    return {
        "id": row.id,
        "ours": row.ours,
        "theirs": row.theirs,
        "same": row.same,
        "site": row.site,
        "by": row.by,
        "mandate": row.mandate,
        "at": format_time(row.at),
    }
