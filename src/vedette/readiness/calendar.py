"""A release plan as an iCalendar file (RFC 5545): the window and each step as an event in UTC.

A plan's dates are sensitive: events are CLASS:CONFIDENTIAL and name no model. An event's UID comes
from its name and times, so importing the same plan twice changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from vedette.readiness.plan import Plan

NAMESPACE = uuid.UUID("6f0d4f6e-2a0b-4a58-9d57-1d3f0c8a5b21")
LINE_OCTETS = 75


def to_ics(plan: Plan, now: datetime) -> str:
    """Return the plan as iCalendar text with CRLF line ends; `now` is its DTSTAMP."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Vedette contributors//Vedette//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        *_event("Access window", plan.opens, plan.closes, plan.pack, now),
    ]
    for step in plan.steps:
        lines += _event(step.name, step.latest_start, step.due, plan.pack, now)
    lines.append("END:VCALENDAR")
    return "".join(part + "\r\n" for line in lines for part in _folded(line))


def _event(name: str, start: datetime, end: datetime, pack: str, now: datetime) -> list[str]:
    first, last = _time(start), _time(end)
    lines = [
        "BEGIN:VEVENT",
        f"UID:{uuid.uuid5(NAMESPACE, f'{pack} {name} {first} {last}')}",
        f"DTSTAMP:{_time(now)}",
        f"DTSTART:{first}",
        f"SUMMARY:{_text(name)}",
        f"DESCRIPTION:{_text(f'From policy pack {pack}. A reminder; nothing waits for it.')}",
        "CLASS:CONFIDENTIAL",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]
    if end > start:
        lines.insert(4, f"DTEND:{last}")
    return lines


def _time(value: datetime) -> str:
    at = value.astimezone(UTC)
    return f"{at.year:04}{at:%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """Escape after RFC 5545 section 3.3.11."""
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        value = value.replace(plain, escaped)
    return "".join(char for char in value if char >= " " and char != "\x7f")


def _folded(line: str) -> Iterator[str]:
    """Fold after RFC 5545 section 3.1: at most 75 octets, never inside a character."""
    part, octets = "", 0
    for char in line:
        width = len(char.encode("utf-8"))
        if octets + width > LINE_OCTETS:
            yield part
            part, octets = " ", 1
        part, octets = part + char, octets + width
    yield part
