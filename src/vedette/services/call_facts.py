"""What one call is decided on, read by one statement: asked for every call, so it must be quick.

Rules:
- A window's list (people, purposes, quota) is read anew only when its versions, their signatures or
  those taken off it changed; that they did not is part of what the statement reads.
- The statement runs in the caller's transaction and scope; PostgreSQL's row security holds for it
  as for any query.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from vedette.engagement.access import Usage
from vedette.engagement.terms import Terms as Document
from vedette.services.terms import agreed_terms
from vedette.store.models import Session

SQL = """
SELECT
  (SELECT COUNT(*) FROM store_call WHERE session_id = %s AND request_id = %s),
  (SELECT COALESCE(SUM(calls_used), 0) FROM store_session WHERE act_id = %s),
  (SELECT COALESCE(SUM(tokens_used), 0) FROM store_session WHERE act_id = %s),
  (SELECT COUNT(*) FROM store_terms WHERE act_id = %s),
  (SELECT COALESCE(SUM(LENGTH(lab_signature) + LENGTH(office_signature)), 0)
     FROM store_terms WHERE act_id = %s),
  (SELECT COUNT(*) FROM store_termsstrike WHERE act_id = %s),
  (SELECT COALESCE(SUM(through), 0) FROM store_termsstrike WHERE act_id = %s)
"""
MOST = 256
_known: dict[str, tuple[Any, Document | None]] = {}


@dataclass(frozen=True)
class Facts:
    """Whether the id was used before, what the window used, and what tells its terms apart."""

    used_before: bool
    used: Usage
    mark: tuple[Any, ...]


def facts_of(session: Session, request_id: str) -> Facts:
    """Read what a call of this session is decided on."""
    act_id = session.act_id
    with connection.cursor() as cursor:
        cursor.execute(SQL, [session.id, request_id, *[act_id] * 6])
        before, calls, tokens, *mark = cursor.fetchone()
    return Facts(bool(before), Usage(int(calls), int(tokens)), tuple(mark))


def terms_of(session: Session, facts: Facts) -> Document | None:
    """The terms in force of a session's window, as they were read last where nothing changed."""
    known = _known.get(session.act_id)
    if known is not None and known[0] == facts.mark:
        return known[1]
    found = agreed_terms(session.act)
    if len(_known) >= MOST:
        _known.clear()
    _known[session.act_id] = facts.mark, found
    return found
