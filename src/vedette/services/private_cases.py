"""What a clearinghouse opens for private matching, and which operators may ask.

Rules:
- A coordinator opens a case for it, and closes it again; a case that is published or closed is no
  longer part of it, and what is marked above TLP:AMBER+STRICT never is.
- An entry holds of a case: its id, the product, the affected and fixed versions, its marking, and
  the embargo's hour in UTC and in the parties' zones. No title, no finder, no participant.
- Only an operator's instance with early warning may ask, and it can end at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from vedette.formats import csaf_out, osv_out
from vedette.formats.advisory import new_advisory_id
from vedette.kernel.canonical import canonical
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, Refused
from vedette.kernel.events import Event
from vedette.kernel.markings import TLP, Marking
from vedette.kernel.permissions import Permission, Profile
from vedette.matching import identity, private, records
from vedette.matching.model import Advisory as Record
from vedette.services import advisories, index
from vedette.services.acting import Actor, act, reading
from vedette.services.case_lists import ENDED
from vedette.services.here import Here
from vedette.services.parties import on_case
from vedette.services.sides import only, stamp
from vedette.store.models import Advisory, Case, EarlyWarning, Peer, PrivateCase

MOST = Marking(TLP.AMBER_STRICT)
SHOWN_HOURS = 5


def open_in_private(
    actor: Actor,
    case_id: str,
    affected: Sequence[Mapping[str, Any]] = (),
    *,
    secret: bool = False,
) -> PrivateCase:
    """Open a case for private matching, or bring what is open of it up to date.

    Args:
        affected: products as in `formats.advisory.Affected`; without it what was executed.
        secret: in no bucket, where names can be tried; told only by intersection.
    """
    with on_case(actor, case_id) as (doing, case):
        if case.state in ENDED:
            raise Refused(f"the case is {case.state}: it is under no embargo")
        if not MOST.dominates(Marking.parse(case.marking)):
            raise Refused(
                f"the case is marked {case.marking}: private matching takes at most {MOST}",
                kept="the case as it was",
            )
        record = _record_of(doing.here, case, affected)
        keys = sorted(_keys_of(record))
        if not keys:
            raise BadInput("affected: no product of it has a name that matching knows")
        row = PrivateCase.objects.select_for_update().filter(case=case).first()
        row = row or PrivateCase(org_id=doing.here.org, case=case)
        row.record, row.keys = {"line": records.dump(record).decode("ascii")}, keys
        row.active, row.secret = True, secret
        row.opened_at, row.closed_at = doing.now, None
        for entry in entries_of(row):
            private.seal(*entry, bytes(private.SALT))
        row.save()
        doing.record(
            Event.CASE_PRIVATE_OPENED,
            case.id,
            {"keys": keys, "secret": secret},
            marking=case.marking,
        )
        return row


def close_in_private(actor: Actor, case_id: str) -> PrivateCase:
    """Take a case out of private matching; what was answered before stays with who asked."""
    with on_case(actor, case_id) as (doing, case):
        row = PrivateCase.objects.select_for_update().filter(case=case, active=True).first()
        if row is None:
            raise Refused("the case is not open for private matching")
        row.active, row.closed_at = False, doing.now
        row.save(update_fields=["active", "closed_at"])
        doing.record(Event.CASE_PRIVATE_CLOSED, case.id, {}, marking=case.marking)
        return row


def state_of(actor: Actor, case_id: str) -> dict[str, Any] | None:
    """How a case stands: open or not, since when, how often asked; None where it never was."""
    only(Profile.CLEARINGHOUSE, actor)
    with reading(actor, Permission.CASE_COORDINATE):
        row = PrivateCase.objects.filter(case_id=case_id).first()
        if row is None:
            return None
        return {
            "open": row.active,
            "secret": row.secret,
            "asked": row.asked,
            "opened_at": stamp(row.opened_at),
            "closed_at": stamp(row.closed_at),
        }


def warn_early(actor: Actor, name: str) -> EarlyWarning:
    """Let an operator's instance (by name or key id) ask in private. Idempotent."""
    only(Profile.CLEARINGHOUSE, actor)
    with act(actor, Permission.CASE_COORDINATE) as doing:
        peer = _operator(name)
        row, made = EarlyWarning.objects.get_or_create(
            peer=peer,
            defaults={"org_id": doing.here.org, "by": actor.name[:200], "since": doing.now},
        )
        if made:
            doing.record(Event.INSTANCE_WARNING_BEGUN, peer.keyid[:16], {"peer": peer.keyid})
        return row


def end_warning(actor: Actor, name: str) -> None:
    """No longer let an operator's instance ask in private. Idempotent."""
    only(Profile.CLEARINGHOUSE, actor)
    with act(actor, Permission.CASE_COORDINATE) as doing:
        peer = _operator(name)
        if EarlyWarning.objects.filter(peer=peer).delete()[0]:
            doing.record(Event.INSTANCE_WARNING_ENDED, peer.keyid[:16], {"peer": peer.keyid})


def _operator(name: str) -> Peer:
    peers = Peer.objects.filter(profile=Profile.OPERATOR)
    rows = list(peers.filter(name=name)) or list(peers.filter(keyid__startswith=name or "-"))
    if len(rows) != 1:
        raise BadInput(
            f"peer: {len(rows)} operators' instances are called {name[:60]!r}",
            next_step="vedette exchange peer list",
        )
    return rows[0]


def _record_of(instance: Here, case: Case, affected: Sequence[Mapping[str, Any]]) -> Record:
    """The case as matching takes it: made as its advisory will be, without its words."""
    given = [dict(each) for each in affected] or advisories.executed(case)
    if not given:
        raise Refused("the case names no affected version yet", next_step="state what is affected")
    content: dict[str, Any] = {
        "title": "Under embargo",
        "summary": "Under embargo",
        "details": "Under embargo",
        "affected": given,
        "revisions": [{"number": 1, "date": format_time(case.opened_at), "summary": "-"}],
        "severity": [],
        "remedy": "",
        **{name: [] for name in ("aliases", "cwe", "credits", "references", "corrects")},
    }
    draft = advisories.draft_of(new_advisory_id(), content, instance)
    row = Advisory(tracking_id=case.id, csaf=csaf_out.render(draft), osv=osv_out.render(draft))
    return replace(index.own_record(row), summary="", aliases=())


def _keys_of(record: Record) -> set[str]:
    return {key for one in record.affected for key in identity.of_affected(one)}


def entries_of(row: PrivateCase) -> list[private.Entry]:
    """What is said of a case under each of its keys. Raises BadInput where it is too long."""
    record, case = records.load(row.record["line"].encode()), row.case
    hours = [
        {name: each[name] for name in ("zone", "local")} for each in case.embargo.get("hours", ())
    ]
    distinct = [each for n, each in enumerate(hours) if each not in hours[:n]]
    entries = []
    for key in row.keys:
        own = tuple(one for one in record.affected if key in identity.of_affected(one))
        told = {
            "case": case.id,
            "marking": case.marking,
            "until": stamp(case.embargo_until) or "",
            "hours": distinct[:SHOWN_HOURS],
            "record": records.dump(replace(record, affected=own)).decode("ascii"),
        }
        entries.append((key, canonical(told)))
    return entries
