"""Access inside a window: sessions asked for by the office, decided on and opened by the lab.

Rules:
- A session is for one named person and one purpose. The lab's instance decides by rule alone:
  window open, terms signed by both, person named, purpose agreed, quota left.
- The credential is made by the lab, which keeps its digest only; it crosses sealed for the office.
- The key to the model itself is sealed for the lab's own instance, and never shown.
- Inside an act's terms no session outlives the window; the lab ends any session at once.
"""

from __future__ import annotations

import secrets
import socket
from typing import Any
from urllib.parse import urlsplit

from vedette.engagement import access as rules
from vedette.engagement.acts import ActState
from vedette.engagement.builds import Statement, digest_of
from vedette.engagement.targets import reach_of
from vedette.engagement.terms import Terms as TermsDocument
from vedette.exchange.messages import PURPOSES
from vedette.kernel.bounds import to_text
from vedette.kernel.canonical import digest
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput, Forbidden, NotFound, Refused
from vedette.kernel.events import Event
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Permission, Profile
from vedette.services import access_records, builds, fingerprints, metering, windows
from vedette.services.acting import Actor, Doing, act, reading
from vedette.services.binding import require_reading
from vedette.services.inbox import Arrival, NotYet, handles
from vedette.services.metering import OPEN, REFUSED, REQUESTED, arrived_session
from vedette.services.sides import arrived_act, find_act, note, only, stamp
from vedette.services.terms import agreed_terms, keys_of
from vedette.store.models import Act, Build, ModelEndpoint, Person, Session

PROXY_PATH = "/proxy/v1"
DIALECTS = ("openai", "anthropic")


def add_endpoint(
    actor: Actor,
    model: str,
    base_url: str,
    key: str,
    build: str = "",
    safeguards: str = "",
    upstream_model: str = "",
    dialect: str = "openai",
    checkpoint: str = "",
    system_prompt: str = "",
    sampling: str = "",
) -> ModelEndpoint:
    """Say where a model really is; the same model again replaces it.

    Args:
        base_url: what comes before `/chat/completions` or `/messages`, such as
            `http://127.0.0.1:9000/v1`. Its host is judged now, and held to that at every call.
        key: the model's own API key ("" where it needs none); kept sealed.
        upstream_model: the model's name there, where it differs from `model`.
        dialect: "openai" or "anthropic": what is spoken there.
        build, checkpoint, safeguards, system_prompt, sampling: what the lab states of the build
            that is served; the checkpoint is a digest or "" behind an endpoint, and of the system
            prompt its digest alone is kept.
    """
    only(Profile.LAB, actor)
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise BadInput("base_url: an http or https address without user and query expected")
    texts = {"model": model.strip(), "base_url": base_url, "key": key, "build": build}
    for name, text in {**texts, "safeguards": safeguards, "upstream": upstream_model}.items():
        if len(text) > (500 if name in ("base_url", "key") else 200):
            raise BadInput(f"{name}: {len(text)} characters are too many")
    if not model.strip():
        raise BadInput("model: 1 to 200 characters expected")
    if dialect not in DIALECTS:
        raise BadInput(f"dialect: {dialect[:40]!r} is none of {', '.join(DIALECTS)}")
    if not key.isascii() or not key.isprintable():
        raise BadInput("key: printable ASCII expected")
    reach = reach_of(parts.hostname, _addresses(parts.hostname))
    with act(actor, Permission.SESSION_END) as doing:
        sealed = to_text(doing.here.keys.public.seal(key.encode())) if key else ""
        row, _ = ModelEndpoint.objects.update_or_create(
            model=model.strip(),
            org_id=actor.org,
            defaults={
                "base_url": base_url.rstrip("/"),
                "sealed_key": sealed,
                "upstream_model": upstream_model.strip(),
                "dialect": dialect,
                "reach": str(reach),
                "added_at": doing.now,
            },
        )
        doing.record(
            Event.ACCESS_ENDPOINT_SET,
            row.id,
            {"model": row.model, "build": build, "safeguards": safeguards},
            marking="TLP:RED",
        )
        prompt = digest_of(system_prompt)
        builds.serve(doing, row, Statement(build, checkpoint, safeguards, prompt, sampling))
        return row


def _addresses(host: str) -> list[str]:
    """What a name leads to now; nothing where it can't be resolved."""
    try:
        return [str(row[4][0]) for row in socket.getaddrinfo(host, None)]
    except (OSError, UnicodeError):
        return []


def endpoints(actor: Actor) -> list[dict[str, Any]]:
    """The lab's endpoints, without their keys."""
    only(Profile.LAB, actor)
    with reading(actor, Permission.SESSION_END):
        names = (
            "id",
            "model",
            "build",
            "safeguards",
            "base_url",
            "upstream_model",
            "dialect",
            "reach",
        )
        return [
            {**{name: getattr(row, name) for name in names}, "has_key": bool(row.sealed_key)}
            for row in ModelEndpoint.objects.order_by("model")
        ]


def request_session(actor: Actor, act_id: str, purpose: str, person: str = "") -> Session:
    """The office asks for a session for a named person (the asking one by default)."""
    only(Profile.OFFICE, actor)
    if purpose not in PURPOSES:
        raise BadInput(f"purpose: {purpose[:40]!r} is none of {', '.join(PURPOSES)}")
    with act(actor, Permission.SESSION_OPEN) as doing:
        row = find_act(act_id)
        session = Session(
            id=new_id("session"),
            org_id=actor.org,
            act=row,
            person=_person(actor, person),
            purpose=purpose,
            state=REQUESTED,
            model=row.model,
            requested_at=doing.now,
        )
        _terms, refusal = _decide(doing, row, session)
        if refusal:
            raise Refused(refusal, kept="the act as it was")
        require_reading(actor, row)
        session.save(force_insert=True)
        body = {"session": session.id, "act": row.id, "person": session.person, "purpose": purpose}
        message_id = doing.send(
            row.peer, "access.requested", body, thread=row.id, marking=row.marking
        )
        _record(doing, Event.ACCESS_SESSION_REQUESTED, session, message_id)
        return session


def _person(actor: Actor, person: str) -> str:
    """The named person: whoever asks, under their own address; the instance may name another."""
    if actor.person is None:
        return note(person or actor.name, "person", 200)
    own = str(Person.objects.get(pk=actor.person).email)
    if person not in ("", own):
        raise Forbidden("a session is asked for by the person it is for", next_step=f"ask as {own}")
    return own


def _decide(doing: Doing, row: Act, session: Session) -> tuple[TermsDocument | None, str]:
    """The terms that both signed, and the plain reason why there is no session under them."""
    terms = agreed_terms(row)
    if row.state != ActState.ACCEPTED:
        return terms, f"the act is {row.state}"
    if terms is None:
        return None, "the terms are not signed by both sides"
    found = rules.decide(
        terms,
        windows.window_of(row),
        rules.Session(session.id, row.id, session.person, session.purpose),
        doing.now,
        purpose=session.purpose,
        person=session.person,
        used=used_of(row),
        # asked of each call at the proxy: an acceptance may arrive after the request
        accepted=True,
    )
    return terms, found.text if isinstance(found, rules.Refusal) else ""


def used_of(row: Act) -> rules.Usage:
    """What all sessions of a window have used so far."""
    pairs = list(row.sessions.values_list("calls_used", "tokens_used"))
    return rules.Usage(sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs))


def _record(doing: Doing, event: Event, session: Session, message_id: str) -> None:
    doing.record(
        event,
        session.id,
        {"person": session.person, "purpose": session.purpose, "state": session.state},
        marking=session.act.marking,
        message_id=message_id,
    )


@handles("access.requested")
def on_requested(arrival: Arrival) -> None:
    """The lab decides by rule, and answers."""
    doing, body = arrival.doing, arrival.body
    row = arrived_act(arrival)
    if Session.objects.filter(id=body["session"]).exists():
        raise Refused(f"session {body['session']} is here already", kept="the session as it was")
    if row.state in (ActState.OFFERED, ActState.ACCEPTED) and agreed_terms(row) is None:
        raise NotYet("the terms signed by both have not arrived")
    session = Session(
        id=body["session"],
        org_id=row.org_id,
        act=row,
        person=body["person"],
        purpose=body["purpose"],
        state=REQUESTED,
        model=row.model,
        requested_at=doing.now,
    )
    terms, refusal = _decide(doing, row, session)
    endpoint = ModelEndpoint.objects.filter(model=row.model).first()
    if not refusal and endpoint is None:
        refusal = "the lab has not set up this model's proxy yet"
    if refusal or terms is None or endpoint is None:
        session.state, session.reason = REFUSED, refusal
        session.save(force_insert=True)
        _tell(doing, session, "access.refused", {"reason": refusal})
        return
    _open(doing, session, terms, endpoint)


def _open(doing: Doing, session: Session, terms: TermsDocument, endpoint: ModelEndpoint) -> None:
    credential = "vac_" + secrets.token_urlsafe(32)
    session.state, session.opened_at = OPEN, doing.now
    session.url = doing.here.url + PROXY_PATH
    session.credential_digest = digest(credential.encode())
    session.build, session.safeguards = endpoint.build, endpoint.safeguards
    session.dialect = endpoint.dialect
    if served := Build.objects.filter(id=endpoint.serves).first():
        builds.tell(doing, session.act, served)
    session.quota_calls, session.quota_tokens = terms.quota.calls, terms.quota.tokens
    session.expires_at = windows.window_of(session.act).until
    session.save(force_insert=True)
    access_records.begin(doing, session.act)
    body = {
        "url": session.url,
        "credential": to_text(keys_of(session.act.peer).seal(credential.encode())),
        "model": session.model,
        "dialect": session.dialect,
        "build": session.build,
        "safeguards": session.safeguards,
        "expires": stamp(session.expires_at),
        "quota_calls": session.quota_calls,
        "quota_tokens": session.quota_tokens,
    }
    message_id = _tell(doing, session, "access.opened", body)
    _record(doing, Event.ACCESS_SESSION_OPENED, session, message_id)


def _tell(doing: Doing, session: Session, type_: str, body: dict[str, Any]) -> str:
    return doing.send(
        session.act.peer,
        type_,
        {"session": session.id, **body},
        thread=session.act_id,
        marking=session.act.marking,
    )


@handles("access.opened")
def on_opened(arrival: Arrival) -> None:
    """The office keeps the credential as it came, sealed."""
    body, session = arrival.body, arrived_session(arrival)
    if session.state != REQUESTED:
        return
    url, known = urlsplit(body["url"]), urlsplit(session.act.peer.url)
    if url.scheme not in ("http", "https") or (known.netloc and url.netloc != known.netloc):
        raise Refused("the proxy is not at the lab's own address", kept="the session as it was")
    session.state, session.opened_at = OPEN, arrival.doing.now
    session.url, session.sealed_credential = body["url"], body["credential"]
    for name in ("model", "build", "safeguards", "quota_calls", "quota_tokens"):
        setattr(session, name, body[name])
    session.dialect = body.get("dialect", DIALECTS[0])
    session.expires_at = parse_time(body["expires"], field="body.expires")
    session.save()
    fingerprints.plan(arrival.doing, session.act)
    access_records.begin(arrival.doing, session.act)
    _record(arrival.doing, Event.ACCESS_SESSION_OPENED, session, arrival.message.id)


@handles("access.refused")
def on_refused(arrival: Arrival) -> None:
    """The office learns why there is no session."""
    session = arrived_session(arrival)
    if session.state == REQUESTED:
        session.state, session.reason = REFUSED, arrival.body["reason"]
        session.save(update_fields=["state", "reason"])


@handles("access.ended")
def on_ended(arrival: Arrival) -> None:
    """A session has ended on the lab's side."""
    session = arrived_session(arrival)
    if session.state == REQUESTED:
        raise NotYet("the opening of this session has not arrived")
    metering.end(arrival.doing, session, arrival.body["reason"], arrival.message.id)


def end_session(actor: Actor, session_id: str, reason: str = "") -> Session:
    """The lab ends a session at once."""
    only(Profile.LAB, actor)
    with act(actor, Permission.SESSION_END) as doing:
        session = Session.objects.select_related("act", "act__peer").filter(id=session_id).first()
        if session is None:
            raise NotFound(f"session {session_id[:40]!r} is not here")
        metering.end(doing, session, note(reason, "reason", 300) or "ended by the lab")
        return session
