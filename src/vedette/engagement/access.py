"""One call through the lab's proxy: decided from the window, the session and the terms alone.

Rules, in this order; the first that fails gives the plain reason:
- The session is this window's, belongs to a named person, and has not ended.
- The window is open now.
- The person and the purpose are the session's, and both are in the terms.
- The person accepted the version of the terms in force; a new version is accepted anew.
- Calls and tokens used so far are below the quota; one call more fits.
- What calls under way may still use is set aside for them, and what this one may use must fit
  into what is left: its input by its size, its answer by the limit that it states. A call that
  states none is taken at the pack's measure, and may exceed the quota by what it uses beyond.

The decision reads nothing else, in particular no release date and no result.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vedette.engagement.terms import Quota, Terms
from vedette.engagement.window import Window, is_open
from vedette.kernel.clock import written


@dataclass(frozen=True)
class Session:
    """A named person's access for one purpose; `quota` narrows the terms' where it is set."""

    id: str
    act: str
    person: str
    purpose: str
    ended: datetime | None = None
    quota: Quota | None = None


@dataclass(frozen=True)
class Usage:
    """What has been counted so far."""

    calls: int = 0
    tokens: int = 0


class Reason(StrEnum):
    """Why a call was refused, in one word for counting."""

    SESSION = "session"
    BEFORE = "before-window"
    AFTER = "after-window"
    PERSON = "person"
    PURPOSE = "purpose"
    ACCEPTANCE = "terms-not-accepted"
    QUOTA = "quota"


@dataclass(frozen=True)
class Allowance:
    """The call goes through: what is left before it, and the moment at which access ends."""

    calls_left: int
    tokens_left: int
    until: datetime


@dataclass(frozen=True)
class Refusal:
    """The call does not go through; `text` is for the caller."""

    reason: Reason
    text: str


def decide(
    terms: Terms,
    window: Window,
    session: Session,
    now: datetime,
    *,
    purpose: str,
    person: str,
    used: Usage,
    accepted: bool,
    session_used: Usage | None = None,
    at_most: int = 0,
) -> Allowance | Refusal:
    """Decide on one call.

    Args:
        accepted: whether the person accepted exactly these terms.
        used: the whole window's count, with what calls under way may still use.
        session_used: this session's.
        at_most: the tokens that this call may use.
    """
    refusal = (
        _session(terms, session, now)
        or _hours(window, now)
        or _who_and_why(terms, session, purpose, person)
        or _acceptance(terms, accepted)
    )
    if refusal:
        return refusal
    left = [_left(terms.quota, used)]
    if session.quota is not None:
        left.append(_left(session.quota, session_used or used))
    calls, tokens = (min(column) for column in zip(*left, strict=True))
    if calls < 1:
        return Refusal(Reason.QUOTA, "all calls of the quota are used")
    if tokens < 1:
        return Refusal(Reason.QUOTA, "all tokens of the quota are used")
    if at_most > tokens:
        return Refusal(
            Reason.QUOTA,
            f"{tokens:,} tokens of the quota are left and this call may use {at_most:,}:"
            " state a lower limit",
        )
    return Allowance(calls, tokens, window.until)


def _session(terms: Terms, session: Session, now: datetime) -> Refusal | None:
    if session.act != terms.act:
        return Refusal(Reason.SESSION, "the session belongs to another window")
    if session.ended is not None and session.ended <= now:
        return Refusal(Reason.SESSION, f"the session ended at {written(session.ended)}")
    return None


def _hours(window: Window, now: datetime) -> Refusal | None:
    if is_open(window, now):
        return None
    if now < window.opens and window.until > window.opens:
        return Refusal(Reason.BEFORE, f"the window opens at {written(window.opens)}")
    return Refusal(Reason.AFTER, f"the window ended at {written(window.until)}")


def _who_and_why(terms: Terms, session: Session, purpose: str, person: str) -> Refusal | None:
    if person != session.person or not terms.names(person):
        return Refusal(Reason.PERSON, "the terms and the session do not name this person")
    if purpose != session.purpose or purpose not in terms.purposes:
        return Refusal(Reason.PURPOSE, "the terms and the session are for another purpose")
    return None


def _acceptance(terms: Terms, accepted: bool) -> Refusal | None:
    if accepted:
        return None
    return Refusal(
        Reason.ACCEPTANCE,
        f"version {terms.version} of the terms is in force and this person has not accepted it:"
        " read and accept it, then call again",
    )


def _left(quota: Quota, used: Usage) -> tuple[int, int]:
    return quota.calls - used.calls, quota.tokens - used.tokens


BYTES_A_TOKEN = 4
# what a template adds around a request, and what may stand for an image in few bytes
UNSEEN = 10_000


def at_most(size: int, limit: int | None, otherwise: int) -> int:
    """The tokens that a call of `size` bytes may use; `otherwise` is for one without a limit."""
    return -(-size // BYTES_A_TOKEN) + (otherwise if limit is None else limit)


@dataclass(frozen=True)
class Claim:
    """What an answer's usage comes to: the tokens that count, and what is odd about it ("")."""

    input_tokens: int
    output_tokens: int
    odd: str = ""


def judge_usage(
    claimed: tuple[int, int], *, status: int, sent: int, received: int, limit: int | None
) -> Claim:
    """Judge the usage that a model claims: the quota is charged by no more than is possible.

    A token stands for a byte at least; an answer that is thought over in silence is bounded by
    the call's own limit. `sent` and `received` are bytes.
    """
    given, written = claimed
    if 200 <= status < 300 and received and not (given or written):
        return Claim(0, 0, "no usage named")
    most_in = sent + UNSEEN
    most_out = max(received, UNSEEN * 10) if limit is None else max(limit, 1)
    if given <= most_in and written <= most_out:
        return Claim(given, written)
    return Claim(min(given, most_in), min(written, most_out), "more usage than is possible")
