"""Embargo of a case: every party's terms kept word for word, the strictest shown.

Rules:
- A party's own number stands over the policy pack's default; its words are kept verbatim.
- The embargo ends at the earliest end that any party's terms give: nobody is bound for longer
  than the terms it came with.
- An end is the start plus `disclosure_days`, plus `extension_days` where one was asked for; once
  the flaw is exploited it is the hour that became known plus `exploited_days` (plus
  `exploited_extension_days`), if that is earlier.
- `silence_days` after the last word of a vendor the case is escalated: the shortest counts.
- Details are held for `hold_days` after the patch: the longest counts. Without a patch
  they are held until the embargo ends.
- Every hour is given in UTC and in each party's zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vedette.kernel.clock import format_time
from vedette.kernel.errors import BadInput

CLOCKS = (
    "disclosure_days",
    "extension_days",
    "exploited_days",
    "exploited_extension_days",
    "silence_days",
    "hold_days",
)


@dataclass(frozen=True)
class Terms:
    """What one party asks for: its own words, and those of the CLOCKS that it sets, in days."""

    party: str
    words: str
    zone: str = "UTC"
    days: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    def __post_init__(self) -> None:
        _check_clocks(self.days, f"terms of {self.party}")
        _zone(self.zone)

    def clock(self, name: str, defaults: Mapping[str, int]) -> int:
        return self.days.get(name, defaults[name])


@dataclass(frozen=True)
class Facts:
    """What has happened in the case so far; None where it has not."""

    started: datetime
    extension_asked: bool = False
    exploited_since: datetime | None = None
    patched: datetime | None = None
    last_vendor_word: datetime | None = None


@dataclass(frozen=True)
class Hour:
    """One moment as a party reads it."""

    party: str
    zone: str
    local: str


@dataclass(frozen=True)
class EmbargoState:
    """Where the embargo stands at `now`; `terms` are everybody's, word for word."""

    ends: datetime
    ends_because: str
    hours: tuple[Hour, ...]
    over: bool
    escalate: datetime
    escalate_because: str
    escalated: bool
    details_from: datetime
    details_because: str
    details_held: bool
    terms: tuple[Terms, ...]


def embargo_state(
    now: datetime, facts: Facts, terms: Sequence[Terms], defaults: Mapping[str, int]
) -> EmbargoState:
    """Return the strictest reading of everybody's `terms`.

    Args:
        now: the present, UTC.
        facts: what has happened in the case.
        terms: of each party; none at all means the defaults alone.
        defaults: days of each of CLOCKS, from the policy pack.
    """
    missing = [name for name in CLOCKS if name not in defaults]
    if missing:
        raise BadInput(
            f"embargo defaults: {missing[0]} is missing", next_step="mend the policy pack"
        )
    _check_clocks(defaults, "embargo defaults")
    parties = tuple(terms) or (Terms("policy pack", ""),)
    ends, ends_because = min(_end(facts, party, defaults) for party in parties)
    escalate, escalate_because = min(_escalation(facts, party, defaults) for party in parties)
    details, details_because = _details(facts, parties, defaults, ends)
    return EmbargoState(
        ends=ends,
        ends_because=ends_because,
        hours=local_hours(ends, parties),
        over=now >= ends,
        escalate=escalate,
        escalate_because=escalate_because,
        escalated=now >= escalate,
        details_from=details,
        details_because=details_because,
        details_held=now < details,
        terms=tuple(terms),
    )


def local_hours(moment: datetime, parties: Sequence[Terms]) -> tuple[Hour, ...]:
    """Return `moment` in UTC and then in each party's zone."""
    utc = Hour("", "UTC", format_time(moment))
    return (
        utc,
        *(
            Hour(p.party, p.zone, moment.astimezone(_zone(p.zone)).strftime("%Y-%m-%d %H:%M %Z"))
            for p in parties
        ),
    )


def _end(facts: Facts, party: Terms, defaults: Mapping[str, int]) -> tuple[datetime, str]:
    days, extra = party.clock("disclosure_days", defaults), party.clock("extension_days", defaults)
    asked = extra if facts.extension_asked else 0
    ordinary = facts.started + timedelta(days=days + asked)
    why = f"{days} days" + (f" + {asked} on request" if asked else "")
    if facts.exploited_since is not None:
        days = party.clock("exploited_days", defaults)
        extra = party.clock("exploited_extension_days", defaults)
        asked = extra if facts.extension_asked else 0
        exploited = facts.exploited_since + timedelta(days=days + asked)
        if exploited < ordinary:
            ordinary = exploited
            why = f"{days} days since exploited" + (f" + {asked} on request" if asked else "")
    return ordinary, f"{party.party}: {why}"


def _escalation(facts: Facts, party: Terms, defaults: Mapping[str, int]) -> tuple[datetime, str]:
    days = party.clock("silence_days", defaults)
    since = max(facts.started, facts.last_vendor_word or facts.started)
    return since + timedelta(days=days), f"{party.party}: {days} days of silence"


def _details(
    facts: Facts, parties: Sequence[Terms], defaults: Mapping[str, int], ends: datetime
) -> tuple[datetime, str]:
    if facts.patched is None:
        return ends, "no patch yet: held until the embargo ends"
    days, party = max((p.clock("hold_days", defaults), p.party) for p in parties)
    return facts.patched + timedelta(days=days), f"{party}: {days} days after the patch"


def _check_clocks(days: Mapping[str, int], source: str) -> None:
    for name, value in days.items():
        if name not in CLOCKS:
            raise BadInput(f"{source}: {name} is no clock of an embargo; clocks are {CLOCKS}")
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 3_650:
            raise BadInput(f"{source}: {name}: a number of days from 0 to 3650 belongs here")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(
            f"zone: {name[:60]!r} is unknown", next_step="write one like Europe/Berlin, or UTC"
        ) from None
