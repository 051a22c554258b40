"""One call through the proxy: it passes inside window, terms and quota, else a plain reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engagement.parties import CLOSES, OPENS, PERSON, make_terms

from vedette.engagement.access import Allowance, Reason, Refusal, Session, Usage, decide
from vedette.engagement.terms import Quota
from vedette.engagement.window import Window, end, is_open

TERMS = make_terms()
WINDOW = Window("eo14409-3b2", OPENS, CLOSES)
SESSION = Session("ses-2222222222222222", TERMS.act, PERSON, "confirmation")
NONE = Usage()
DURING = OPENS + timedelta(days=3)


def call(
    now: datetime = DURING,
    *,
    session: Session = SESSION,
    window: Window = WINDOW,
    purpose: str = "confirmation",
    person: str = PERSON,
    used: Usage = NONE,
    accepted: bool = True,
    session_used: Usage | None = None,
) -> Allowance | Refusal:
    return decide(
        TERMS,
        window,
        session,
        now,
        purpose=purpose,
        person=person,
        used=used,
        accepted=accepted,
        session_used=session_used,
    )


def test_a_call_inside_the_terms_goes_through_and_says_what_is_left() -> None:
    assert call(used=Usage(40, 4_000)) == Allowance(60, 6_000, CLOSES)


@given(st.integers(-100, 1000).map(lambda hours: OPENS + timedelta(hours=hours)))
def test_no_call_outside_the_window_goes_through(now: datetime) -> None:
    answer = call(now)
    assert isinstance(answer, Allowance) == is_open(WINDOW, now)
    if isinstance(answer, Refusal):
        assert answer.reason == (Reason.BEFORE if now < OPENS else Reason.AFTER)


@given(st.integers(0, 200), st.integers(0, 20_000))
def test_no_call_over_the_quota_goes_through(calls: int, tokens: int) -> None:
    answer = call(used=Usage(calls, tokens))
    assert isinstance(answer, Allowance) == (calls < 100 and tokens < 10_000)
    if isinstance(answer, Refusal):
        assert answer.reason == Reason.QUOTA


def test_ending_the_window_ends_the_calls_at_once() -> None:
    answer = call(window=end(WINDOW, DURING))
    assert isinstance(answer, Refusal)
    assert answer.text == "the window ended at 4 Dec 2026, 00:00 UTC"
    early = call(OPENS, window=end(WINDOW, OPENS - timedelta(days=1)))
    assert isinstance(early, Refusal)
    assert early.reason == Reason.AFTER


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (call(person="eve@office"), Reason.PERSON),
        (call(person="bo@office"), Reason.PERSON),
        (call(person="eve@office", session=replace(SESSION, person="eve@office")), Reason.PERSON),
        (call(purpose="supplementation"), Reason.PURPOSE),
        (
            call(purpose="robustness", session=replace(SESSION, purpose="robustness")),
            Reason.PURPOSE,
        ),
        (call(session=replace(SESSION, ended=DURING)), Reason.SESSION),
        (call(session=replace(SESSION, act="act-other")), Reason.SESSION),
        (call(accepted=False), Reason.ACCEPTANCE),
    ],
)
def test_each_refusal_has_its_plain_reason(answer: Allowance | Refusal, reason: Reason) -> None:
    assert isinstance(answer, Refusal)
    assert answer.reason == reason
    assert answer.text


def test_a_sessions_own_quota_narrows_the_terms() -> None:
    session = replace(SESSION, quota=Quota(5, 50_000))
    assert call(session=session, used=Usage(50, 10), session_used=Usage(2, 10)) == Allowance(
        3, 9_990, CLOSES
    )
    answer = call(session=session, used=Usage(50, 10), session_used=Usage(5, 10))
    assert isinstance(answer, Refusal)
    assert answer.reason == Reason.QUOTA


@given(
    st.integers(-10, 40).map(lambda days: OPENS + timedelta(days=days)),
    st.integers(0, 120),
    st.sampled_from([PERSON, "bo@office"]),
    st.sampled_from(["confirmation", "robustness"]),
)
def test_who_has_not_accepted_the_terms_in_force_calls_nothing(
    now: datetime, calls: int, person: str, purpose: str
) -> None:
    asked = {"now": now, "person": person, "purpose": purpose, "used": Usage(calls)}
    without, with_it = call(**asked, accepted=False), call(**asked)  # type: ignore[arg-type]
    assert isinstance(without, Refusal)
    if isinstance(with_it, Allowance) or with_it.reason == Reason.QUOTA:
        assert without.reason == Reason.ACCEPTANCE
        assert "version 1 " in without.text
        assert "accept it, then call again" in without.text
    else:
        assert without == with_it, "the other reasons stay as they are"
