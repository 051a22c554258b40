"""Mandates: an operator lets a delegate act for it, on a recorded basis, within bounds, for a time.

A delegate is a sector's ISAC, an integrator or a managed provider. The table of moves is `MANDATE`;
a move of the operator needs MANDATE_GIVE, one of the delegate MANDATE_USE.

Rules:
- The operator offers and the delegate accepts, or the delegate asks and the operator accepts.
- Either side ends a mandate at any time, alone and at once; by the clock it ends at its end.
- A delegate registers an operator that is not here yet, on its own record of the basis. What it
  can then read is what it brought itself; of an operator that is here it can only ask.
- A mandate names acts and sites. Answering notices, and stating VEX, includes reading notices. An
  inventory's site is its name, or where it is said to be run; no site named means the whole
  organisation.
- What a mandate covers is decided when something is asked for: in force, started, not over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vedette.clearinghouse.machine import Machine, Party, Row
from vedette.clearinghouse.states import State
from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput
from vedette.kernel.events import Event

MOST_DAYS = 3 * 366
MOST_SITES = 200
MOST_BASIS = 20_000


class MandateState(State):
    NEW = "new"
    OFFERED = "offered"
    ASKED = "asked"
    IN_FORCE = "in-force"
    ENDED = "ended"
    EXPIRED = "expired"


class MandateAct(StrEnum):
    """What a delegate may do for an operator."""

    READ = "read-notices"
    KEEP = "keep-inventories"
    ANSWER = "answer-notices"
    STATE = "state-vex"


_M = MandateState
_OPERATOR, _DELEGATE = frozenset({Party.OPERATOR}), frozenset({Party.DELEGATE})

MANDATE = Machine(
    "mandate",
    _M.NEW,
    (
        Row("offer", _M.NEW, _M.OFFERED, _OPERATOR, Event.OPERATOR_MANDATE_OFFERED),
        Row("ask", _M.NEW, _M.ASKED, _DELEGATE, Event.OPERATOR_MANDATE_ASKED),
        Row("register", _M.NEW, _M.IN_FORCE, _DELEGATE, Event.OPERATOR_MANDATE_REGISTERED),
        Row("accept", _M.OFFERED, _M.IN_FORCE, _DELEGATE, Event.OPERATOR_MANDATE_BEGUN),
        Row("accept", _M.ASKED, _M.IN_FORCE, _OPERATOR, Event.OPERATOR_MANDATE_BEGUN),
        *(
            Row("end", source, _M.ENDED, _OPERATOR | _DELEGATE, Event.OPERATOR_MANDATE_ENDED)
            for source in (_M.OFFERED, _M.ASKED, _M.IN_FORCE)
        ),
        *(
            Row(
                "expire",
                source,
                _M.EXPIRED,
                frozenset({Party.CLOCK}),
                Event.OPERATOR_MANDATE_EXPIRED,
            )
            for source in (_M.OFFERED, _M.ASKED, _M.IN_FORCE)
        ),
    ),
)
STANDING = (_M.OFFERED, _M.ASKED, _M.IN_FORCE)


@dataclass(frozen=True)
class Bounds:
    """What a mandate is for: acts, sites by their inventories' names (none: all), start and end."""

    acts: frozenset[MandateAct]
    starts: datetime
    ends: datetime
    sites: tuple[str, ...] = ()

    def covers(self, act: MandateAct, site: str, now: datetime) -> bool:
        """Tell whether `act` at `site` falls within these bounds at `now`."""
        placed = not self.sites or site in self.sites
        return act in self.acts and placed and self.starts <= now < self.ends


def bounds(
    acts: Iterable[str], starts: datetime, ends: datetime, sites: Iterable[str], now: datetime
) -> Bounds:
    """Check what a mandate is to be for. Raises BadInput naming the field."""
    known = {str(act): act for act in MandateAct}
    asked = {str(act) for act in acts}
    if not asked or not asked <= known.keys():
        raise BadInput(f"acts: one or more of {', '.join(known)} expected")
    found = {known[act] for act in asked}
    if found & {MandateAct.ANSWER, MandateAct.STATE}:
        found.add(MandateAct.READ)
    if ends <= max(starts, now):
        raise BadInput(f"ends: {format_time(ends)} is not after the start, or has passed")
    if ends - starts > timedelta(days=MOST_DAYS):
        raise BadInput(
            f"ends: a mandate is for at most {MOST_DAYS:,} days", next_step="renew it in time"
        )
    named = tuple(dict.fromkeys(site.strip() for site in sites if site.strip()))
    if len(named) > MOST_SITES or any(len(n) > 200 or not n.isprintable() for n in named):
        raise BadInput(f"sites: at most {MOST_SITES} names of at most 200 characters")
    return Bounds(frozenset(found), starts, ends, named)


def check_basis(basis: str) -> str:
    """The basis, kept verbatim. Raises BadInput where there is none."""
    if not basis.strip() or len(basis) > MOST_BASIS or "\0" in basis:
        raise BadInput(
            f"basis: a text of 1 to {MOST_BASIS:,} characters expected",
            next_step="quote what the mandate rests on, such as the agreement and its date",
        )
    return basis
