"""One call through the lab's proxy: decided on and counted before it goes out, settled after.

Rules:
- The decision is the pure rule of `engagement.access`; a refusal is counted like any other
  attempt, and enters the ledger.
- A call is counted before it is forwarded, so that a crash loses none and a request id used twice
  is found out; its status and tokens follow when the answer has passed.
- Tokens of calls under way are not known yet: the last calls before the token quota's end may
  exceed it by what they use themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from vedette.engagement import access as rules
from vedette.engagement.access import Reason
from vedette.exchange.envelope import from_text
from vedette.kernel.canonical import digest
from vedette.kernel.events import Event
from vedette.kernel.permissions import Profile
from vedette.services import metering, windows
from vedette.services.access import used_of
from vedette.services.acting import Doing, act, instance_actor, reading
from vedette.services.here import here
from vedette.services.metering import ENDED, OPEN, Metered
from vedette.services.terms import agreed_terms
from vedette.store.models import Call, ModelEndpoint, Session

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
UNKNOWN, NO_ID, USED_ID, NO_MODEL = 401, 400, 409, 503
STATUS = {Reason.QUOTA: 429}
OTHERWISE = 403


@dataclass(frozen=True)
class Upstream:
    """Where the model is, its name there, and the lab's own key to it."""

    base_url: str
    model: str
    key: str

    def __repr__(self) -> str:
        return f"Upstream({self.base_url})"


@dataclass(frozen=True)
class Admitted:
    """A call that goes through, and until when."""

    call: int
    session: str
    model: str
    until: datetime
    upstream: Upstream


@dataclass(frozen=True)
class Turned:
    """A call that does not go through: HTTP status, one word, the plain reason."""

    status: int
    code: str
    text: str


def admit(credential: str, request_id: str, purpose: str) -> Admitted | Turned:
    """Decide on one attempt and count it."""
    if here().profile != Profile.LAB:
        return Turned(404, "not-found", "no model is served here")
    with act(instance_actor(), None) as doing:
        rows = Session.objects.select_related("act", "act__peer").select_for_update(of=("self",))
        session = rows.filter(credential_digest=digest(credential.encode())).first()
        if session is None:
            return Turned(UNKNOWN, "credential", "this credential opens no session here")
        if not REQUEST_ID.fullmatch(request_id):
            turned = Turned(NO_ID, "request-id", "X-Vedette-Request: 1 to 64 of A-Z a-z 0-9 . _ -")
            return _note(doing, session, turned)
        if session.calls.filter(request_id=request_id).exists():
            turned = Turned(USED_ID, "request-id", "this request id was used before")
            return _note(doing, session, turned)
        return _decide(doing, session, request_id, purpose)


def _decide(doing: Doing, session: Session, request_id: str, purpose: str) -> Admitted | Turned:
    terms = agreed_terms(session.act)
    if terms is None:
        return _refuse(doing, session, request_id, Turned(OTHERWISE, "terms", "no agreed terms"))
    found = rules.decide(
        terms,
        windows.window_of(session.act),
        rules.Session(
            session.id, session.act_id, session.person, session.purpose, session.ended_at
        ),
        doing.now,
        purpose=purpose,
        person=session.person,
        used=used_of(session.act),
    )
    if isinstance(found, rules.Refusal):
        turned = Turned(STATUS.get(found.reason, OTHERWISE), str(found.reason), found.text)
        return _refuse(doing, session, request_id, turned)
    endpoint = ModelEndpoint.objects.filter(model=session.model).first()
    if endpoint is None:
        turned = Turned(NO_MODEL, "model", "the lab has taken this model's proxy down")
        return _refuse(doing, session, request_id, turned)
    call = Call(
        org_id=session.org_id, session=session, request_id=request_id, at=doing.now, status=0
    )
    call.save(force_insert=True)
    session.calls_used += 1
    session.save(update_fields=["calls_used"])
    return Admitted(call.pk, session.id, session.model, found.until, _upstream(endpoint))


def _upstream(row: ModelEndpoint) -> Upstream:
    sealed = from_text(row.sealed_key, field="sealed_key") if row.sealed_key else b""
    key = here().keys.open(sealed).decode() if sealed else ""
    return Upstream(row.base_url, row.upstream_model or row.model, key)


def _refuse(doing: Doing, session: Session, request_id: str, turned: Turned) -> Turned:
    call = Metered(request_id, doing.now, turned.status, refused=turned.text)
    metering.record(doing, session, [call])
    return _note(doing, session, turned)


def _note(doing: Doing, session: Session, turned: Turned) -> Turned:
    doing.record(
        Event.ACCESS_CALL_REFUSED,
        session.id,
        {"reason": turned.code, "text": turned.text},
        marking=session.act.marking,
    )
    return turned


def settle(
    admitted: Admitted, status: int, input_tokens: int, output_tokens: int, milliseconds: int
) -> None:
    """Write down how a call ended, as its caller saw it. Idempotent: the first ending stays."""
    with act(instance_actor(), None) as doing:
        changed = Call.objects.filter(pk=admitted.call, status=0).update(
            status=status,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            milliseconds=milliseconds,
        )
        if not changed:
            return
        rows = Session.objects.filter(id=admitted.session)
        rows.update(tokens_used=F("tokens_used") + input_tokens + output_tokens)
        session = rows.filter(state=ENDED).select_related("act", "act__peer").first()
        if session is not None:
            metering.report(doing, session)


def still_open(admitted: Admitted) -> bool:
    """Whether an answer under way may still be handed on: neither its hour nor the lab ended it."""
    if here().clock.now() >= admitted.until:
        return False
    with reading(instance_actor()):
        return Session.objects.filter(id=admitted.session, state=OPEN).exists()
