"""Rules across the machines come back as sentences; an engagement in order has none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.engagement.parties import CLOSES, OPENS, PERSON, make_terms

from vedette.engagement.access import Session
from vedette.engagement.acts import ActKind, ActState
from vedette.engagement.invariants import violations
from vedette.engagement.partners import Partner
from vedette.engagement.window import Window, WindowState

TERMS = make_terms()
SESSION = Session("ses-2222222222222222", TERMS.act, PERSON, "confirmation")
PARTNER = Partner("org-3", "P", "energy", (), lab_agreed=OPENS, office_agreed=OPENS)
ACTS = {ActKind.ACCESS_WINDOW: ActState.ACCEPTED, ActKind.PARTNER_SELECTION: ActState.ACCEPTED}
GOOD: dict[str, Any] = {
    "window": Window(TERMS.basis, OPENS, CLOSES),
    "window_state": WindowState.OPEN,
    "terms": TERMS,
    "both_signed": True,
    "sessions": [SESSION],
    "partners": [PARTNER],
}


def test_an_engagement_in_order_violates_nothing() -> None:
    assert violations(ACTS, OPENS, **GOOD) == ()
    assert violations({}, OPENS) == ()


@pytest.mark.parametrize("state", [None, *ActState])
def test_the_determination_request_bears_on_nothing_else(state: ActState | None) -> None:
    acts = {**ACTS, **({ActKind.DETERMINATION_REQUEST: state} if state else {})}
    assert violations(acts, OPENS, **GOOD) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"both_signed": False}, "without terms that both sides signed"),
        ({"terms": replace(TERMS, closes=CLOSES + timedelta(days=1))}, "other hours"),
        ({"sessions": [replace(SESSION, person="eve")]}, "person whom the terms do not name"),
        ({"sessions": [replace(SESSION, purpose="robustness")]}, "purpose that the terms"),
        ({"window": None, "window_state": None}, "outside its window"),
    ],
)
def test_each_rule_is_a_sentence(change: dict[str, Any], words: str) -> None:
    found = violations(ACTS, OPENS, **{**GOOD, **change})
    assert len(found) == 1
    assert words in found[0]
    assert found[0].endswith(".")


def test_withdrawn_acts_leave_no_open_window_and_no_agreed_partner() -> None:
    acts = dict.fromkeys(ActKind, ActState.WITHDRAWN)
    found = violations(acts, OPENS, **GOOD)
    assert len(found) == 2


def test_a_session_that_outlives_its_window_is_found() -> None:
    found = violations(ACTS, CLOSES, **{**GOOD, "window_state": WindowState.CLOSED})
    assert found == ("Session ses-2222222222222222 runs outside its window.",)
    ended = replace(SESSION, ended=CLOSES)
    assert (
        violations(
            ACTS, CLOSES, **{**GOOD, "window_state": WindowState.CLOSED, "sessions": [ended]}
        )
        == ()
    )
