"""What is written of each call, by statements of its own: it must be quick, as what is read.

The statements run in the caller's transaction and scope; PostgreSQL's row security holds for them
as for any query.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from vedette.services.metering import OPEN
from vedette.store.models import Session

COUNT = """
INSERT INTO store_call (org_id, session_id, request_id, at, status, refused, input_tokens,
  output_tokens, milliseconds, build, probe, ended, odd)
VALUES (%s, %s, %s, %s, 0, '', 0, 0, 0, %s, %s, '', '') RETURNING id
"""
USED = "UPDATE store_session SET calls_used = calls_used + 1 WHERE id = %s"
END = """
UPDATE store_call SET status = %s, input_tokens = %s, output_tokens = %s, milliseconds = %s,
  ended = %s, odd = %s
WHERE id = %s AND status = 0
"""
STANDS = "SELECT COUNT(*) FROM store_session WHERE id = %s AND state = %s"
TOKENS = "UPDATE store_session SET tokens_used = tokens_used + %s WHERE id = %s"


def count(session: Session, request_id: str, now: datetime, build: str, *, probe: bool) -> int:
    """Count a call that is about to go out; return the number of its row."""
    at = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [session.org_id, session.id, request_id, at, build, probe])
        (key,) = cursor.fetchone()
        cursor.execute(USED, [session.id])
    return int(key)


def end(call: int, values: Sequence[Any]) -> bool:
    """Write how a call ended (status, tokens in and out, ms, ended, odd), unless it has one."""
    with connection.cursor() as cursor:
        cursor.execute(END, [*values, call])
        return bool(cursor.rowcount)


def use_tokens(session_id: str, tokens: int) -> bool:
    """Add tokens to what a session used; whether it is open."""
    with connection.cursor() as cursor:
        cursor.execute(f"{TOKENS} AND state = %s", [tokens, session_id, OPEN])
        if cursor.rowcount:
            return True
        cursor.execute(TOKENS, [tokens, session_id])
        return False


def is_open(session_id: str) -> bool:
    """Whether a session is open now."""
    with connection.cursor() as cursor:
        cursor.execute(STANDS, [session_id, OPEN])
        return bool(cursor.fetchone()[0])
