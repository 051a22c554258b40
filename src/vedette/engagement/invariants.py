"""Rules across the machines of an engagement; each violated one comes back as a sentence.

Rules:
- A window is open only while the access-window act stands accepted.
- A window is open only under terms that both sides signed, for the same hours and basis.
- A session runs only inside its window, for a person and a purpose of the terms.
- Partners are agreed only while the partner-selection act stands accepted.
- Nothing here, and no act's state, bears on another act or on a release.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from vedette.engagement.access import Session
from vedette.engagement.acts import ActKind, ActState
from vedette.engagement.partners import Partner
from vedette.engagement.terms import Terms
from vedette.engagement.window import Window, WindowState, is_open


def violations(
    acts: Mapping[ActKind, ActState],
    now: datetime,
    *,
    window: Window | None = None,
    window_state: WindowState | None = None,
    terms: Terms | None = None,
    both_signed: bool = False,
    sessions: Iterable[Session] = (),
    partners: Iterable[Partner] = (),
) -> tuple[str, ...]:
    """Return a sentence for each rule that an engagement's recorded states violate."""
    found: list[str] = []
    if window is not None and window_state == WindowState.OPEN:
        found += _open_window(acts, window, terms, both_signed)
    running = [session for session in sessions if session.ended is None or session.ended > now]
    for session in running:
        found += _session(session, window, terms, now)
    if acts.get(ActKind.PARTNER_SELECTION) != ActState.ACCEPTED:
        found += [
            f"Partner {partner.id} counts as agreed, but the partner-selection act is not accepted."
            for partner in partners
            if partner.agreed is not None
        ]
    return tuple(found)


def _open_window(
    acts: Mapping[ActKind, ActState], window: Window, terms: Terms | None, both_signed: bool
) -> Iterable[str]:
    if acts.get(ActKind.ACCESS_WINDOW) != ActState.ACCEPTED:
        yield "The window is open, but the access-window act is not accepted."
    if terms is None or not both_signed:
        yield "The window is open without terms that both sides signed."
    elif (terms.basis, terms.opens, terms.closes) != (window.basis, window.opens, window.closes):
        yield "The window is open for other hours or another basis than the signed terms name."


def _session(
    session: Session, window: Window | None, terms: Terms | None, now: datetime
) -> Iterable[str]:
    if window is None or not is_open(window, now):
        yield f"Session {session.id} runs outside its window."
    if terms is None or not terms.names(session.person):
        yield f"Session {session.id} runs for a person whom the terms do not name."
    if terms is None or session.purpose not in terms.purposes:
        yield f"Session {session.id} runs for a purpose that the terms do not list."
