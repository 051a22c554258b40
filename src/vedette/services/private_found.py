"""What an operator's portal asks in private, and what it found.

Rules:
- All current inventories of the instance's own organisation are asked about together, in one
  question; what finds no room has its turn on another day.
- What was found in a bucket stays until that bucket is asked again; the newest answer counts.
- With the setting `ask_daily` each clearinghouse is asked once a day, at an hour of the instance's
  own, whatever there is to ask; a refusal, such as that of too many questions, is waited out.
- A match is shown with its embargo's marking and hour, to those cleared for it alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import time
from hashlib import sha256
from typing import Any

import httpx
from django.db import transaction

from vedette.exchange.private_question import MAX_ANSWER, PRIVATE_PATH
from vedette.formats.detect import read_inventory
from vedette.kernel.clock import format_time, parse_time
from vedette.kernel.errors import BadInput, Refused, VedetteError
from vedette.kernel.events import Event
from vedette.kernel.keys import PublicKeys
from vedette.kernel.permissions import Permission, Profile
from vedette.matching.index import Index
from vedette.services import jobs, outgoing
from vedette.services.acting import Actor, act, instance_actor, reading
from vedette.services.here import here
from vedette.services.parties import readable
from vedette.services.private_asking import Asker, Outcome
from vedette.services.pulls import Unreachable, clearinghouse_of
from vedette.store.models import IndexBuild, Inventory, Peer, PrivateMatch
from vedette.store.tenancy import SYSTEM, scoped

log = logging.getLogger("vedette.private")
DAILY = "ask in private"


def ask(actor: Actor, peer: str = "") -> Outcome:
    """Ask the named clearinghouse, or the only one, and keep what was found.

    Raises Unreachable, Refused with the clearinghouse's words, and BadInput.
    """
    actor.require(Permission.INVENTORY_EDIT)
    found_peer, instance = clearinghouse_of(actor, peer), here()
    with transaction.atomic(), scoped(SYSTEM):
        build = IndexBuild.objects.filter(peer=found_peer, current=True).first()
        rows = {row.name: row for row in Inventory.objects.filter(org_id=actor.org, current=True)}
    if build is None:
        raise BadInput(f"no index of {found_peer.name} is here", next_step="pull it first")
    contents = [read_inventory(bytes(row.data), row.name) for row in rows.values()]
    now = instance.clock.now()
    maker = PublicKeys(found_peer.ed25519, found_peer.age)
    asker = Asker(instance.keys, instance.ceiling, maker, _poster(found_peer.url + PRIVATE_PATH))
    outcome = asker.ask(contents, Index(bytes(build.data), "index"), now, turn=now.toordinal())
    with act(actor, Permission.INVENTORY_EDIT) as doing:
        for row in PrivateMatch.objects.filter(org_id=actor.org):
            if outcome.asked.issuperset(row.buckets):
                row.delete()
        for each in outcome.matches:
            PrivateMatch(
                org_id=actor.org,
                inventory=rows[each.match.inventory],
                case=each.match.advisory,
                line={**each.match.line(), "name": each.match.name},
                marking=each.marking,
                until=parse_time(each.until, field="until") if each.until else None,
                hours=each.embargo()["hours"],
                buckets=list(each.buckets),
                found_at=now,
            ).save(force_insert=True)
        doing.record(
            Event.OPERATOR_QUESTION_ASKED,
            found_peer.keyid[:16],
            {"found": len(outcome.matches), "at": format_time(now)},
        )
    return outcome


def every_day() -> None:
    """See to it that the daily question is due, where the setting `ask_daily` says so."""
    instance = here()
    if instance.ask_daily and instance.profile == Profile.OPERATOR:
        jobs.every_day(DAILY, ask_today, own_hour(instance.org))


def own_hour(org: str) -> time:
    """An hour of the day that stays the same for an instance, and is spread over instances."""
    seconds = int.from_bytes(sha256(org.encode()).digest()[:4]) % 86_400
    return time(seconds // 3_600, seconds // 60 % 60, seconds % 60)


@jobs.job(queue="long")
def ask_today() -> None:
    """Ask every clearinghouse once, and again tomorrow; one that refuses stops no other."""
    if not here().ask_daily:
        return
    every_day()
    with transaction.atomic(), scoped(SYSTEM):
        peers = Peer.objects.filter(profile=Profile.CLEARINGHOUSE).order_by("name")
        keyids = list(peers.values_list("keyid", flat=True))
    for keyid in keyids:
        try:
            ask(instance_actor(), keyid)
        except VedetteError as error:
            log.warning("daily question: %s", error)


def found(actor: Actor) -> list[dict[str, Any]]:
    """The matches found in private that the actor is cleared for, the next hour first."""
    with reading(actor, Permission.NOTICE_READ):
        rows = PrivateMatch.objects.select_related("inventory").defer("inventory__data")
        kept = rows.filter(org_id=actor.org, inventory__current=True).order_by("until", "pk")
        return [
            {
                "case": row.case,
                "inventory": {"id": row.inventory_id, "name": row.inventory.name},
                "line": row.line,
                "marking": row.marking,
                "until": row.until,
                "hours": row.hours,
                "found_at": row.found_at,
            }
            for row in kept
            if readable(actor, row.marking)
        ]


def _poster(url: str) -> Callable[[bytes], bytes]:
    def post(question: bytes) -> bytes:
        try:
            with outgoing.client(120) as client:
                answer = client.post(
                    url, content=question, headers={"Content-Type": "application/json"}
                )
        except httpx.HTTPError as error:
            raise Unreachable(
                f"{url} can't be reached ({type(error).__name__})", kept="what was found before"
            ) from None
        if answer.status_code == 404:
            raise Refused(
                "the clearinghouse has nothing in private for this instance",
                next_step="ask it for early warning",
            )
        if answer.status_code != 200:
            raise Refused(_told(answer))
        if len(answer.content) > MAX_ANSWER:
            raise Refused(f"{url}: more than {MAX_ANSWER:,} bytes")
        return answer.content

    return post


def _told(answer: httpx.Response) -> str:
    try:
        told = answer.json()
        return f"{str(told['detail'])[:400]}; {str(told['next'])[:400]}"
    except (ValueError, KeyError, TypeError):
        return f"the clearinghouse answered HTTP {answer.status_code}"
