"""Private matching on the clearinghouse's side: who asks is answered, or there is nothing here.

Rules:
- Only an operator's instance with early warning gets an answer or a reason; to everybody else there
  is nothing here.
- A peer may ask as often in 24 hours as the policy pack says; each question counts, and is entered
  in the ledger by its random id. Which buckets were asked is kept nowhere.
- A question is taken once, near its time, and in the division that the newest index gives.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache

from django.db.models import F

from vedette.exchange.private_question import (
    SKEW,
    Question,
    opened_question,
    read_names,
    read_question,
    seal_answer,
)
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.keys import PublicKeys
from vedette.kernel.permissions import Profile
from vedette.matching import intersection, private
from vedette.matching.index import Index
from vedette.services import index
from vedette.services.acting import Doing, act, instance_actor
from vedette.services.case_lists import ENDED
from vedette.services.here import here
from vedette.services.private_cases import entries_of
from vedette.store.models import EarlyWarning, IndexBuild, Peer, PrivateCase, PrivateQuestion
from vedette.store.tenancy import SYSTEM, scoped

DAY = timedelta(days=1)


class TooMany(Refused):
    """More questions than a peer may ask in a day."""

    status = 429
    title = "asked too often"


def answer(data: bytes) -> bytes:
    """Answer a private question.

    Raises NotFound to everybody without early warning, TooMany, BadInput, and Refused for a
    question of another time, or of another division than that of the newest index.
    """
    peer = _asker(data)
    try:
        with act(instance_actor(), None) as doing:
            return _answer(doing, peer, read_question(opened_question(data)))
    except (BadInput, Refused) as error:
        _record_refusal(peer, error)
        raise


def _asker(data: bytes) -> Peer:
    """The peer that signed the question. Raises NotFound unless it has early warning."""
    try:
        envelope = opened_question(data)
    except BadInput:
        raise _nothing() from None
    with scoped(SYSTEM):
        peer = Peer.objects.filter(keyid=envelope.keyid, early_warning__isnull=False).first()
    known = here().profile == Profile.CLEARINGHOUSE and peer is not None
    if not known or peer is None or not envelope.verify(PublicKeys(peer.ed25519, peer.age)):
        raise _nothing()
    return peer


def _nothing() -> NotFound:
    return NotFound("no such thing here")


def _answer(doing: Doing, peer: Peer, question: Question) -> bytes:
    now, limit = doing.now, doing.here.pack.integer("private_matching", "questions_a_day")
    # one question of a peer at a time, so that the limit holds
    if not EarlyWarning.objects.select_for_update().filter(peer=peer).exists():
        raise _nothing()
    if question.to != doing.here.keys.public.keyid or question.asker != peer.keyid:
        raise Refused("question: it names another asker or receiver")
    if abs(now - question.asked_at) > SKEW:
        raise Refused(
            f"question: of {format_time(question.asked_at)}, and it is {format_time(now)} here",
            next_step="set the clock right, and ask again",
        )
    before = PrivateQuestion.objects.filter(peer=peer, asked_at__gt=now - DAY).order_by("asked_at")
    times = list(before.values_list("asked_at", flat=True))
    if len(times) >= limit:
        again = times[len(times) - limit] + DAY
        raise TooMany(
            f"{limit} private questions in 24 hours, and no more",
            next_step=f"ask again from {format_time(again)} on",
        )
    if PrivateQuestion.objects.filter(id=question.id).exists():
        raise Refused("question: taken before")
    row = PrivateQuestion(id=question.id, org_id=doing.here.org, peer=peer, asked_at=now)
    row.save(force_insert=True)
    doing.record(
        Event.INDEX_QUESTION_ANSWERED, question.id, {"peer": peer.keyid, "kind": question.kind}
    )
    salt, division = os.urandom(private.SALT), current_division()
    head = {
        "bits": division.bits,
        "shared": division.shared,
        "products": division.products,
        "salt": salt.hex(),
        "limit": limit,
        "left": limit - len(times) - 1,
    }
    content = _KINDS[question.kind](question, division, salt)
    return seal_answer(question, head, content, doing.here.keys)


def _buckets(question: Question, division: private.Division, salt: bytes) -> bytes:
    """The asked buckets, with what is open and not secret."""
    if (question.bits, len(question.buckets)) != (division.bits, division.asked):
        raise Refused(
            f"question: {division.asked} buckets out of {division.buckets} belong in one, by the"
            " newest index",
            next_step="pull the index, and ask again",
        )
    rows, asked = [row for row in _open() if not row.secret], set(question.buckets)
    _count(r for r in rows if any(private.bucket(k, question.bits) in asked for k in r.keys))
    entries = [entry for row in rows for entry in entries_of(row)]
    return private.fill(entries, question.buckets, division.bits, salt)


def _intersection(question: Question, division: private.Division, salt: bytes) -> bytes:
    """Which product keys both sides hold, which the asker alone learns; it reaches every case."""
    rows = _open()
    _count(rows)
    keys = sorted({key for row in rows for key in row.keys})
    return intersection.answer(keys, question.content)


def _ranges(question: Question, division: private.Division, salt: bytes) -> bytes:
    """What is open of the products whose names the asker reveals."""
    keys = read_names(here().keys.open(question.content))
    rows = [row for row in _open() if not keys.isdisjoint(row.keys)]
    _count(rows)
    entries = [entry for row in rows for entry in entries_of(row) if entry[0] in keys]
    return private.fill(entries, (0,), 0, salt)


_KINDS = {"buckets": _buckets, "intersection": _intersection, "ranges": _ranges}


def _open() -> list[PrivateCase]:
    rows = PrivateCase.objects.filter(active=True).exclude(case__state__in=ENDED)
    return list(rows.select_related("case").order_by("pk"))


def _count(rows: Iterable[PrivateCase]) -> None:
    reached = [row.pk for row in rows]
    PrivateCase.objects.filter(pk__in=reached).update(asked=F("asked") + 1)


def current_division() -> private.Division:
    """How the product keys of the newest public index fall into buckets."""
    newest = IndexBuild.objects.defer("data").filter(peer=None, public=True, current=True).first()
    return _division(newest.digest) if newest else private.divide(())


@lru_cache(4)
def _division(wanted: str) -> private.Division:
    return private.divide(Index(index.content(wanted), "index").keys())


def _record_refusal(peer: Peer, error: Exception) -> None:
    with act(instance_actor(), None) as doing:
        doing.record(
            Event.INDEX_QUESTION_REFUSED,
            peer.keyid[:16],
            {"reason": str(error)},
        )
