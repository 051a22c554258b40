"""One answer to several notices, and how it is undone.

Rules:
- Each notice is an act of its own: what can't be answered so stays as it was and is told.
- Undoing gives each notice the answer back that it had, unless it was answered or moved since; a
  deferral whose day is over by then becomes unanswered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from vedette.clearinghouse.states import NoticeState
from vedette.kernel.clock import parse_time
from vedette.kernel.errors import BadInput, NotFound, Refused, VedetteError
from vedette.kernel.ids import new_id
from vedette.kernel.permissions import Permission
from vedette.services.acting import Actor, reading
from vedette.services.here import here
from vedette.services.notices import answer_notice
from vedette.store.models import Notice

MOST_AT_ONCE = 500


@dataclass(frozen=True)
class Answered:
    """What became of it: the batch's id, the notices it changed, and those it did not, with why."""

    batch: str
    notices: tuple[str, ...]
    refused: tuple[tuple[str, VedetteError], ...]


def answer_several(
    actor: Actor,
    notices: Iterable[str],
    state: str,
    control: str = "",
    expires: datetime | None = None,
) -> Answered:
    """Give one answer to several notices. Raises BadInput for none or too many, NotFound."""
    actor.require(Permission.ANSWER_GIVE)
    ids = list(dict.fromkeys(notices))
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise BadInput(f"notices: {len(ids)} named, 1 to {MOST_AT_ONCE} expected")
    with reading(actor):
        known = set(
            Notice.objects.filter(org_id=actor.org, id__in=ids).values_list("id", flat=True)
        )
    for notice_id in ids:
        if notice_id not in known:
            raise NotFound(f"notice {notice_id[:40]!r} is not here", kept="every notice as it was")
    return answer_each(dict.fromkeys(ids, actor), state, control, expires)


def answer_each(
    notices: Mapping[str, Actor], state: str, control: str, expires: datetime | None
) -> Answered:
    """Give one answer to notices, each by the actor that stands beside it."""
    batch = new_id("batch")
    done, refused = [], []
    for notice_id, actor in notices.items():
        try:
            row = answer_notice(actor, notice_id, state, control, expires, batch=batch)
        except (BadInput, Refused) as error:
            refused.append((notice_id, error))
        else:
            if row.batch == batch:
                done.append(notice_id)
    return Answered(batch, tuple(done), tuple(refused))


def in_batch(actor: Actor, batch: str) -> list[Notice]:
    """The notices whose last answer came with that batch."""
    with reading(actor, Permission.NOTICE_READ):
        return standing(Notice.objects.filter(org_id=actor.org), batch)


def standing(rows: QuerySet[Notice], batch: str) -> list[Notice]:
    """Those of `rows` whose answer of that batch still stands."""
    found = rows.filter(batch=batch) if batch else []
    return [row for row in found if row.state == row.earlier.get("to")]


def undo(actor: Actor, batch: str) -> Answered:
    """Give the notices of a batch the answers back that they had. Raises NotFound."""
    actor.require(Permission.ANSWER_GIVE)
    return give_back(batch, in_batch(actor, batch), lambda row: actor)


def give_back(batch: str, rows: Sequence[Notice], actor_of: Callable[[Notice], Actor]) -> Answered:
    """Give notices the answers back that they had. Raises NotFound where there are none."""
    if not rows:
        raise NotFound(f"no answers of {batch[:40]!r} stand", kept="every notice as it is")
    done, refused = [], []
    for row in rows:
        before = row.earlier
        expires = parse_time(before["expires"], field="expires") if before["expires"] else None
        over = expires is not None and expires <= here().clock.now()
        state = NoticeState.UNANSWERED if over else before["state"]
        deferred = state == NoticeState.DEFERRED
        try:
            answer_notice(
                actor_of(row),
                row.id,
                state,
                before["control"] if deferred else "",
                expires if deferred else None,
            )
        except (BadInput, Refused) as error:
            refused.append((row.id, error))
        else:
            done.append(row.id)
    return Answered(batch, tuple(done), tuple(refused))
