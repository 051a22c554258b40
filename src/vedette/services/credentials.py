"""A session's credential, opened in memory by the office for what calls the lab's proxy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vedette.kernel.bounds import from_text
from vedette.kernel.errors import NotFound, Refused
from vedette.kernel.permissions import Permission, Profile
from vedette.services.acting import Actor, reading
from vedette.services.binding import require_reading
from vedette.services.here import here
from vedette.services.metering import ENDED, OPEN
from vedette.services.sides import only
from vedette.store.models import Session


@dataclass(frozen=True)
class OpenSession:
    """What a run needs to reach the lab's proxy; lives in memory only."""

    id: str
    url: str
    credential: str
    model: str
    person: str
    purpose: str
    expires: datetime
    quota_calls: int
    quota_tokens: int
    dialect: str = "openai"

    def __repr__(self) -> str:
        return f"OpenSession({self.id})"


def open_credential(actor: Actor, session_id: str) -> OpenSession:
    """Open a session's credential in memory, for a run. Raises Refused outside its time."""
    only(Profile.OFFICE, actor)
    with reading(actor, Permission.SESSION_OPEN):
        session = Session.objects.select_related("act").filter(id=session_id).first()
        if session is None:
            raise NotFound(f"session {session_id[:40]!r} is not here")
        now = here().clock.now()
        if session.state != OPEN or session.expires_at is None or session.expires_at <= now:
            state = session.state if session.state != OPEN else ENDED
            raise Refused(f"the session is {state}", kept="the session as it was")
        require_reading(actor, session.act)
        sealed = from_text(session.sealed_credential, field="credential")
        return OpenSession(
            session.id,
            session.url,
            here().keys.open(sealed).decode("ascii"),
            session.model,
            session.person,
            session.purpose,
            session.expires_at,
            session.quota_calls,
            session.quota_tokens,
            session.dialect or "openai",
        )
