"""What an operator said of names: that its asset is the product an advisory names, or is another.

Rules:
- It is said of a match by words that a notice shows, and counts for every inventory of the
  organisation and every advisory that write the two so, until it is forgotten.
- What is said to be another product is listed with what VEX takes away, and can be lifted there.
- The newest word on two names counts. Each has the inventories matched anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, NotFound
from vedette.kernel.events import Event
from vedette.kernel.permissions import Permission
from vedette.matching.said import Said, Word, pair
from vedette.services import matches
from vedette.services.acting import Actor, act, reading
from vedette.store.models import Notice, SaidName


def said(org: str) -> Said:
    """What an organisation said, by the words of both names; under the instance's scope."""
    return said_each([org])[org]


def said_each(orgs: Iterable[str]) -> dict[str, Said]:
    """The same of several organisations."""
    found: dict[str, dict[tuple[str, str], Word]] = {org: {} for org in orgs}
    for row in SaidName.objects.filter(org_id__in=found):
        found[row.org_id][pair(row.ours, row.theirs)] = Word(row.same, row.by)
    return dict(found)


def say(actor: Actor, notice_id: str, ours: str, theirs: str, same: bool) -> SaidName:
    """Say whether an asset is the product that it is matched with. Raises BadInput, NotFound."""
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
        row, _ = SaidName.objects.update_or_create(
            org_id=actor.org,
            ours=ours,
            theirs=theirs,
            defaults={"same": same, "by": actor.name[:200], "at": doing.now},
        )
        doing.record(
            Event.OPERATOR_NAME_SAID, row.id, {"ours": ours, "theirs": theirs} | {"same": same}
        )
        doing.after(matches.match_inventories, org=actor.org)
        return row


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


def pairs(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The names that lines matched by words have on both sides."""
    found = [(line["ours"], name) for line in lines for name in line.get("theirs", ())]
    return list(dict.fromkeys(found))


def listed(actor: Actor) -> list[dict[str, Any]]:
    """What the actor's organisation said, by its own names."""
    with reading(actor, Permission.NOTICE_READ):
        rows = SaidName.objects.filter(org_id=actor.org).order_by("ours", "theirs")
        return [describe(row) for row in rows]


def describe(row: SaidName) -> dict[str, Any]:
    """A word on two names as JSON."""
    said = {"ours": row.ours, "theirs": row.theirs, "same": row.same}
    return {"id": row.id, **said, "by": row.by, "at": format_time(row.at)}
