"""What one call is decided on, read by one statement: asked for every call, so it must be quick.

Rules:
- A window's terms (people, purposes, quota) and who accepted them are read anew only when the
  versions, their signatures, those taken off the list or the acceptances changed; that they did not
  is part of what the statement reads.
- The statement runs in the caller's transaction and scope; PostgreSQL's row security holds for it
  as for any query.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from vedette.engagement.access import Usage
from vedette.engagement.terms import Terms as Document
from vedette.services.term_versions import in_force, on_the_list
from vedette.store.models import Act, Session

SQL = """
SELECT
  (SELECT COUNT(*) FROM store_call WHERE session_id = %s AND request_id = %s),
  (SELECT COALESCE(SUM(calls_used), 0) FROM store_session WHERE act_id = %s),
  (SELECT COALESCE(SUM(tokens_used), 0) FROM store_session WHERE act_id = %s),
  (SELECT COUNT(*) FROM store_terms WHERE act_id = %s),
  (SELECT COALESCE(SUM(LENGTH(lab_signature) + LENGTH(office_signature)), 0)
     FROM store_terms WHERE act_id = %s),
  (SELECT COUNT(*) FROM store_termsstrike WHERE act_id = %s),
  (SELECT COALESCE(SUM(through), 0) FROM store_termsstrike WHERE act_id = %s),
  (SELECT COUNT(*) FROM store_termsacceptance WHERE act_id = %s)
"""
MOST = 256


@dataclass(frozen=True)
class Bound:
    """A window's terms in force without those taken off their list, and who accepted them."""

    terms: Document
    accepted: frozenset[str]


_known: dict[str, tuple[Any, Bound | None]] = {}


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
        cursor.execute(SQL, [session.id, request_id, *[act_id] * 7])
        before, calls, tokens, *mark = cursor.fetchone()
    return Facts(bool(before), Usage(int(calls), int(tokens)), tuple(mark))


def bound_by(session: Session, facts: Facts) -> Bound | None:
    """What binds a session's window, as it was read last where nothing changed; None unsigned."""
    known = _known.get(session.act_id)
    if known is not None and known[0] == facts.mark:
        return known[1]
    found = _read(session.act)
    if len(_known) >= MOST:
        _known.clear()
    _known[session.act_id] = facts.mark, found
    return found


def _read(row: Act) -> Bound | None:
    made = in_force(row)
    if made is None:
        return None
    people = row.acceptances.filter(digest=made.digest).values_list("person", flat=True)
    return Bound(on_the_list(row, made), frozenset(people))
