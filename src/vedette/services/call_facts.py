"""What one call is decided on, read by one statement: asked for every call, so it must be quick.

Rules:
- Nothing is decided on what was true before: the statement reads, for each call, all that the
  decision depends on. Session, window, endpoint and terms are made of these values anew only when
  one of them is another than at the session's last call.
- Terms are told apart by their versions, signatures, those taken off the list, and acceptances.
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
from vedette.store.models import Act, ModelEndpoint, Session

VARY = 3
"""So many first columns change with every call."""

SQL = """
SELECT
  (SELECT COUNT(*) FROM store_call c WHERE c.session_id = s.id AND c.request_id = %s),
  (SELECT COALESCE(SUM(calls_used), 0) FROM store_session o WHERE o.act_id = s.act_id),
  (SELECT COALESCE(SUM(tokens_used), 0) FROM store_session o WHERE o.act_id = s.act_id),
  s.id, s.act_id, s.early_id, s.person, s.purpose, s.state, s.model, s.expires_at, s.ended_at,
  a.basis, a.opens, a.closes, a.window_ended,
  e.id, e.base_url, e.upstream_model, e.dialect, e.reach, e.serves, e.sealed_key,
  (SELECT COUNT(*) FROM store_terms t WHERE t.act_id = s.act_id),
  (SELECT COALESCE(SUM(LENGTH(lab_signature) + LENGTH(office_signature)), 0)
     FROM store_terms t WHERE t.act_id = s.act_id),
  (SELECT COUNT(*) FROM store_termsstrike t WHERE t.act_id = s.act_id),
  (SELECT COALESCE(SUM(through), 0) FROM store_termsstrike t WHERE t.act_id = s.act_id),
  (SELECT COUNT(*) FROM store_termsacceptance t WHERE t.act_id = s.act_id)
FROM store_session s
JOIN store_act a ON a.id = s.act_id
LEFT JOIN store_modelendpoint e ON e.model = s.model AND e.org_id = s.org_id
WHERE s.credential_digest = %s
"""
LOCK = " FOR UPDATE OF s"
MOST = 256


@dataclass(frozen=True)
class Bound:
    """A window's terms in force without those taken off their list, and who accepted them."""

    terms: Document
    accepted: frozenset[str]


@dataclass(frozen=True)
class Standing:
    """What stays from one call of a session to the next; `mark` is all that it was made of.

    Its rows are for reading: `session.refusals` and what was used may be old.
    """

    mark: tuple[Any, ...]
    session: Session
    endpoint: ModelEndpoint | None
    bound: Bound | None


@dataclass(frozen=True)
class Facts:
    """Where a session stands, whether the id was used before, and what the window used."""

    standing: Standing
    used_before: bool
    used: Usage


_known: dict[str, Standing] = {}


def facts_of(credential_digest: str, request_id: str) -> Facts | None:
    """Read what a call is decided on, and lock its session; None where no session has this key."""
    lock = LOCK if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(SQL + lock, [request_id, credential_digest])
        found = cursor.fetchone()
    if found is None:
        return None
    (before, calls, tokens), mark = found[:VARY], found[VARY:]
    standing = _known.get(credential_digest)
    if standing is None or standing.mark != mark:
        standing = _read(credential_digest, mark)
        if len(_known) >= MOST:
            _known.clear()
        _known[credential_digest] = standing
    return Facts(standing, bool(before), Usage(int(calls), int(tokens)))


def _read(credential_digest: str, mark: tuple[Any, ...]) -> Standing:
    session = Session.objects.select_related("act").get(credential_digest=credential_digest)
    rows = ModelEndpoint.objects.filter(model=session.model, org_id=session.org_id)
    return Standing(mark, session, rows.first(), _bound(session.act))


def _bound(row: Act) -> Bound | None:
    made = in_force(row)
    if made is None:
        return None
    people = row.acceptances.filter(digest=made.digest).values_list("person", flat=True)
    return Bound(on_the_list(row, made), frozenset(people))
