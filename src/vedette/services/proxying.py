"""One call through the lab's proxy: decided on and counted before it goes out, settled after.

Rules:
- The decision is the pure rule of `engagement.access`; a refusal is counted like any other
  attempt, up to the pack's bound. The ledger has the first refusal of each reason, and at the
  session's end how many there were.
- A call is counted before it is forwarded, so that a crash loses none and a request id used twice
  is found out; its status and tokens follow when the answer has passed, before the caller has
  all of it.
- Calls that come together are written together, each on the disk before it goes on. A call takes
  few statements, written by hand (`call_facts`, `call_rows`): the server's time goes there.
- What calls under way may still use is set aside; it is known in memory alone, so that a crash
  sets nothing aside for ever.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from vedette.engagement import access as rules
from vedette.engagement.access import Reason
from vedette.engagement.targets import Reach
from vedette.kernel.bounds import from_text
from vedette.kernel.canonical import digest
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Profile
from vedette.services import call_rows, early_access, metering, windows
from vedette.services.acting import Doing, act, instance_actor, reading
from vedette.services.call_facts import Facts, facts_of
from vedette.services.here import here
from vedette.services.jobs import job, schedule
from vedette.services.metering import ENDED, OPEN, Metered
from vedette.services.together import Together
from vedette.store.models import ModelEndpoint, Reachable, Session

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
UNKNOWN, NO_ID, USED_ID, NO_MODEL, OTHER_DIALECT = 401, 400, 409, 503, 404
STATUS = {Reason.QUOTA: 429}
OTHERWISE = 403


@dataclass(frozen=True)
class Upstream:
    """Where the model is, its name there, the lab's own key to it, and what its host may be."""

    base_url: str
    model: str
    key: str
    reach: Reach

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).netloc

    def __repr__(self) -> str:
        return f"Upstream({self.base_url})"


@dataclass(frozen=True)
class Asked:
    """One attempt as it came: who, why, in which dialect, how large, its own limit on tokens.

    `unnamed`: it came without an id, and got this one here.
    """

    credential: str
    request_id: str
    purpose: str
    dialect: str
    size: int = 0
    limit: int | None = None
    probe: bool = False
    unnamed: bool = False

    def __repr__(self) -> str:
        return f"Asked({self.request_id})"

    def with_limit(self, limit: int | None) -> Asked:
        return replace(self, limit=limit)


@dataclass(frozen=True)
class Admitted:
    """A call that goes through, and until when."""

    call: int
    session: str
    model: str
    dialect: str
    build: str
    until: datetime
    upstream: Upstream
    asked: Asked


@dataclass(frozen=True)
class Turned:
    """A call that does not go through: HTTP status, one word, the plain reason."""

    status: int
    code: str
    text: str


class Aside:
    """Tokens set aside for calls under way, by window; in this process alone."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: dict[object, tuple[str, int]] = {}

    def put(self, key: object, act_id: str, tokens: int) -> None:
        with self._lock:
            self._calls[key] = act_id, tokens

    def take(self, key: object) -> None:
        with self._lock:
            self._calls.pop(key, None)

    def of(self, act_id: str) -> int:
        with self._lock:
            return sum(tokens for act_of, tokens in self._calls.values() if act_of == act_id)


WRITES, ASIDE = Together(), Aside()


def admit(asked: Asked) -> Admitted | Turned:
    """Decide on one attempt and count it."""
    if here().profile != Profile.LAB:
        return Turned(404, "not-found", "no model is served here")
    mark = digest(asked.credential.encode())
    if not asked.request_id:
        asked = replace(asked, request_id=new_id("call"), unnamed=True)
    try:
        return WRITES.do(lambda doing: _admit(doing, asked, mark))
    except BaseException:
        ASIDE.take((mark, asked.request_id))
        raise


def alive(credential: str) -> dict[str, Any] | Turned:
    """Tell a session's holder whether it stands and the model is there; counted nowhere."""
    if here().profile != Profile.LAB:
        return Turned(404, "not-found", "no model is served here")
    with reading(instance_actor()):
        rows = Session.objects.filter(credential_digest=digest(credential.encode()))
        session = rows.first()
        if session is None:
            return Turned(UNKNOWN, "credential", "this credential opens no session here")
        if session.state != OPEN:
            return Turned(OTHERWISE, "session", f"the session is {session.state}")
        last = Reachable.objects.filter(act=session.act_id).order_by("-until", "-pk").first()
        return {"session": session.state, "model": last.up if last else None}


def _admit(doing: Doing, asked: Asked, mark: str) -> Admitted | Turned:
    facts = facts_of(mark, asked.request_id) if asked.credential else None
    if facts is None:
        return Turned(UNKNOWN, "credential", "this credential opens no session here")
    # a partner's calls are counted here alone: an ordinary client of the model will do
    needed = asked.unnamed and not facts.standing.session.early_id
    if needed or not REQUEST_ID.fullmatch(asked.request_id):
        text = "X-Vedette-Request: 1 to 64 of A-Z a-z 0-9 . _ -, another for each call"
        return _note(doing, _locked(mark), Turned(NO_ID, "request-id", text))
    if facts.used_before:
        turned = Turned(USED_ID, "request-id", "this request id was used before")
        return _note(doing, _locked(mark), turned)
    found = _decide(doing, asked, facts)
    return _refuse(doing, _locked(mark), asked, found) if isinstance(found, Turned) else found


def _locked(mark: str) -> Session:
    """The session as it is now, to be written."""
    rows = Session.objects.select_related("act").select_for_update(of=("self",))
    return rows.get(credential_digest=mark)


def _judged(
    doing: Doing, asked: Asked, at_most: int, facts: Facts
) -> rules.Allowance | rules.Refusal | Turned:
    """The rule's word on one attempt: of the window's terms, or of a partner's early access."""
    session, bound, used = facts.standing.session, facts.standing.bound, facts.used
    if session.early_id:
        aside = ASIDE.of(session.early_id)
        purpose = asked.purpose or session.purpose
        return early_access.judge(session, purpose, aside, at_most if asked.dialect else 0)
    if bound is None:
        return Turned(OTHERWISE, "terms", "no agreed terms")
    return rules.decide(
        bound.terms,
        windows.window_of(session.act),
        rules.Session(
            session.id, session.act_id, session.person, session.purpose, session.ended_at
        ),
        doing.now,
        purpose=asked.purpose,
        person=session.person,
        used=rules.Usage(used.calls, used.tokens + ASIDE.of(session.act_id)),
        accepted=session.person in bound.accepted,
        at_most=at_most if asked.dialect else 0,
    )


def _decide(doing: Doing, asked: Asked, facts: Facts) -> Admitted | Turned:
    session, endpoint = facts.standing.session, facts.standing.endpoint
    otherwise = doing.here.pack.integer("access", "tokens_without_limit")
    at_most = rules.at_most(asked.size, asked.limit, otherwise)
    found = _judged(doing, asked, at_most, facts)
    if isinstance(found, Turned):
        return found
    if isinstance(found, rules.Refusal):
        return Turned(STATUS.get(found.reason, OTHERWISE), str(found.reason), found.text)
    if endpoint is None:
        return Turned(NO_MODEL, "model", "the lab has taken this model's proxy down")
    if asked.dialect and asked.dialect != endpoint.dialect:
        text = f"this session's model is called in the dialect of {endpoint.dialect}"
        return Turned(OTHER_DIALECT, "dialect", text)
    call = call_rows.count(session, asked.request_id, doing.now, endpoint.serves, probe=asked.probe)
    window = session.early_id or session.act_id
    ASIDE.put((session.credential_digest, asked.request_id), window, at_most)
    return Admitted(
        call,
        session.id,
        session.model,
        endpoint.dialect,
        endpoint.serves,
        found.until,
        _upstream(endpoint),
        asked,
    )


def _upstream(row: ModelEndpoint) -> Upstream:
    key = _opened(row.sealed_key, here().keys.public.keyid) if row.sealed_key else ""
    return Upstream(row.base_url, row.upstream_model or row.model, key, Reach(row.reach))


@lru_cache(maxsize=64)
def _opened(sealed: str, keyid: str) -> str:
    """The lab's key to a model, opened once a process; `keyid` keeps instances apart."""
    return here().keys.open(from_text(sealed, field="sealed_key")).decode()


def _refuse(doing: Doing, session: Session, asked: Asked, turned: Turned) -> Turned:
    bound = doing.here.pack.integer("access", "refusals_counted")
    if sum(session.refusals.values()) < bound:
        call = Metered(
            asked.request_id,
            doing.now,
            turned.status,
            refused=f"{turned.code}: {turned.text}",
            probe=asked.probe,
        )
        metering.record(doing, session, [call], tell=False)
        if session.state == ENDED:
            wait = timedelta(seconds=doing.here.pack.integer("access", "report_after_seconds"))
            due = doing.now + wait
            schedule(f"meter {session.id}", report_late, due, session_id=session.id)
    return _note(doing, session, turned)


def _note(doing: Doing, session: Session, turned: Turned) -> Turned:
    bound = doing.here.pack.integer("access", "refusals_counted")
    if sum(session.refusals.values()) >= bound:
        return turned
    first = turned.code not in session.refusals
    session.refusals[turned.code] = session.refusals.get(turned.code, 0) + 1
    session.save(update_fields=["refusals"])
    if first:
        doing.record(
            Event.ACCESS_CALL_REFUSED,
            session.id,
            {"reason": turned.code, "text": turned.text},
            marking=session.act.marking,
        )
    return turned


@job()
def report_late(session_id: str) -> None:
    """Send the count of an ended session anew, after calls that came late. Idempotent."""
    with act(instance_actor(), None) as doing:
        rows = Session.objects.select_related("act", "act__peer").filter(id=session_id)
        session = rows.filter(state=ENDED).first()
        if session is not None:
            metering.report(doing, session)


def settle(
    admitted: Admitted,
    status: int,
    input_tokens: int,
    output_tokens: int,
    milliseconds: int,
    *,
    ended: str = "",
    size: int = 0,
    only_if_open: bool = False,
) -> bool:
    """Write down how a call ended, as its caller saw it. Idempotent: the first ending stays.

    Args:
        ended: how its answer ended, in one word ("" where there was none).
        size: bytes of the answer.
        only_if_open: nothing of the answer was handed on yet, and nothing will be where its hour
            or the lab ended the session meanwhile; the call then ends as one refused, and what its
            caller did not get is not counted as its use: both sides count alike.

    Returns:
        Whether the answer may be handed on.
    """
    claim = rules.judge_usage(
        (input_tokens, output_tokens),
        status=status,
        sent=admitted.asked.size,
        received=size,
        limit=admitted.asked.limit,
    )
    values = (
        status,
        input_tokens,
        output_tokens,
        min(milliseconds, 2**31 - 1),
        ended[:20],
        claim.odd,
    )
    tokens = claim.input_tokens + claim.output_tokens
    try:
        return WRITES.do(lambda doing: _settle(doing, admitted, values, tokens, only_if_open))
    finally:
        ASIDE.take((digest(admitted.asked.credential.encode()), admitted.asked.request_id))


def _settle(
    doing: Doing, admitted: Admitted, values: Sequence[Any], tokens: int, only_if_open: bool
) -> bool:
    passes = not only_if_open or (
        doing.now < admitted.until and call_rows.is_open(admitted.session)
    )
    if not passes:
        milliseconds = values[3]
        values, tokens = (OTHERWISE, 0, 0, milliseconds, "", ""), 0
    if not call_rows.end(admitted.call, values):
        return passes
    if not call_rows.use_tokens(admitted.session, tokens):
        session = Session.objects.select_related("act", "act__peer").get(id=admitted.session)
        if session.state == ENDED:
            metering.report(doing, session)
    return passes


def still_open(admitted: Admitted) -> bool:
    """Whether an answer under way may still be handed on: neither its hour nor the lab ended it."""
    if here().clock.now() >= admitted.until:
        return False
    with reading(instance_actor()):
        return call_rows.is_open(admitted.session)
