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
from datetime import timedelta
from functools import lru_cache

from django.db.models import F

from vedette.exchange.private_question import (
    SKEW,
    Question,
    opened_question,
    read_question,
    seal_answer,
)
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.keys import PublicKeys
from vedette.kernel.permissions import Profile
from vedette.matching import private
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
    division = current_division()
    if (question.bits, len(question.buckets)) != (division.bits, division.asked):
        raise Refused(
            f"question: {division.asked} buckets out of {division.buckets} belong in one, by the"
            " newest index",
            next_step="pull the index, and ask again",
        )
    if PrivateQuestion.objects.filter(id=question.id).exists():
        raise Refused("question: taken before")
    row = PrivateQuestion(id=question.id, org_id=doing.here.org, peer=peer, asked_at=now)
    row.save(force_insert=True)
    doing.record(Event.INDEX_QUESTION_ANSWERED, question.id, {"peer": peer.keyid})
    salt = os.urandom(private.SALT)
    head = {
        "bits": division.bits,
        "shared": division.shared,
        "products": division.products,
        "salt": salt.hex(),
        "limit": limit,
        "left": limit - len(times) - 1,
    }
    filled = private.fill(_open_entries(question), question.buckets, division.bits, salt)
    return seal_answer(question, head, filled, doing.here.keys)


def _open_entries(question: Question) -> list[private.Entry]:
    """The entries of every open case; those in a bucket that is asked are counted."""
    open_ = PrivateCase.objects.filter(active=True).exclude(case__state__in=ENDED)
    rows, asked = list(open_.select_related("case").order_by("pk")), set(question.buckets)
    lying = [r.pk for r in rows if any(private.bucket(k, question.bits) in asked for k in r.keys)]
    PrivateCase.objects.filter(pk__in=lying).update(asked=F("asked") + 1)
    return [entry for row in rows for entry in entries_of(row)]


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
