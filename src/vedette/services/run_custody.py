"""How a run reaches its model, by the custody that was chosen for it.

Rules (the table is `bench.custody`):
- endpoint: an open session on the lab's model, and nothing else.
- weights-here: the office serves the model at an address of its own, on this machine or in a
  private network; an act names the lab, and with it the weights that were received.
- items-there, joint: an act names the lab; nothing runs here, the items leave as a bundle.
- No custody is taken that does not fit what was given with it; the first that is missing is named.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from vedette.bench.custody import ENDPOINT, HERE, WEIGHTS_HERE, custody_of
from vedette.kernel.errors import BadInput, NotFound, Refused
from vedette.runner.runs import SubjectSpec
from vedette.services.acting import Actor
from vedette.services.binding import require_reading
from vedette.services.sides import find_act
from vedette.store.models import Act, Run, Session, Weights


@dataclass(frozen=True)
class Reached:
    """A run's model: custody, session and act where there are any, its name, what is on record."""

    custody: str
    session: Session | None = None
    act: Act | None = None
    model: str = ""
    record: dict[str, Any] = field(default_factory=dict)


def reach(
    actor: Actor, custody: str, session_id: str, act_id: str, model: str, base_url: str
) -> Reached:
    """Find what a run's custody needs. Raises BadInput naming what is missing or too much."""
    if not custody:
        custody = ENDPOINT if session_id else WEIGHTS_HERE if base_url else HERE
    row = custody_of(custody)
    if session_id and custody != ENDPOINT:
        raise BadInput(f"session: a run with custody {custody} goes through none")
    if base_url and custody != WEIGHTS_HERE:
        raise BadInput(f"base_url: a run with custody {custody} reaches no address of the office's")
    if custody == HERE:
        if act_id or model:
            raise BadInput("custody: a model was named; say where items and weights meet")
        return Reached(custody)
    if custody == ENDPOINT:
        if not session_id:
            raise BadInput("session: a run through the lab's endpoint needs an open one")
        session = _session(session_id)
        require_reading(actor, session.act)
        return Reached(custody, session, session.act, session.model)
    act = find_act(act_id) if act_id else None
    if act is not None:
        require_reading(actor, act)
    elif row.away:
        raise BadInput(f"act: a run with custody {custody} is about one lab's model; name the act")
    name = model or (act.model if act else "")
    if not name:
        raise BadInput("model: must be given")
    if custody != WEIGHTS_HERE:
        return Reached(custody, None, act, name)
    return Reached(custody, None, act, name, {"url": own_address(base_url), **_received(act)})


def _session(session_id: str) -> Session:
    session = Session.objects.select_related("act").filter(id=session_id).first()
    if session is None:
        raise NotFound(f"session {session_id[:40]!r} is not here")
    if session.state != "open":
        raise Refused(f"the session is {session.state}", next_step="ask for a new session")
    return session


def _received(act: Act | None) -> dict[str, Any]:
    """The weights on record for an act, by name and digest of what was received."""
    rows = Weights.objects.filter(act=act).order_by("received_at", "id") if act else []
    return {"weights": [{"name": row.name, "digest": row.digest} for row in rows]}


def own_address(url: str) -> str:
    """An address of the office's: this machine's, or of a private network. Raises BadInput."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https") or parts.username or len(url) > 500:
        raise BadInput(f"base_url: {url[:80]!r} is no http or https address")
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, port or 80)}
    except OSError:
        raise BadInput(f"base_url: {host[:80]} has no address here") from None
    addresses = [ipaddress.ip_address(str(each).partition("%")[0]) for each in found]
    if not all(each.is_private or each.is_loopback for each in addresses):
        raise BadInput(
            f"base_url: {host[:80]} lies outside the office: custody weights-here would not hold",
            next_step="serve the model on this machine, or in a private network of the office's",
        )
    return url.rstrip("/")


def spec_of(subject: dict[str, Any], run: Run) -> SubjectSpec:
    """A run's subject as the runner takes it, but for a session's credential."""
    name = subject["name"]
    if subject["kind"] == "reference":
        return SubjectSpec(name, "reference")
    url = str(run.custody_record.get("url", ""))
    return SubjectSpec(name, "endpoint", model=name, base_url=url)
