"""One story out of several ledgers, joined on the ids of the messages that crossed.

Rules:
- Entries are ordered by time, and entries of one ledger keep their order; at the same second a
  message is sent before it is accepted, whichever ledger comes first.
- A message that one ledger sent and another accepted becomes one arrow.
- What a message brought about says whose it was: the ledger that sent it.
- Ledgers hold no content: a name for an object comes from whoever may read it (`names`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vedette.kernel.clock import format_time
from vedette.kernel.events import Event
from vedette.ledger.entry import Entry


@dataclass(frozen=True)
class Moment:
    """One entry of one ledger within the story."""

    ledger: str
    entry: Entry
    name: str
    by: str = ""

    @property
    def title(self) -> str:
        """The event in words, with the ledger whose message brought it about where one did."""
        return title(self.entry.event) + (f" by {self.by}" if self.by else "")

    def to_json(self) -> dict[str, Any]:
        return {
            "time": format_time(self.entry.time),
            "instance": self.ledger,
            "seq": self.entry.seq,
            "event": self.entry.event,
            "title": self.title,
            "object": self.entry.object_id,
            "name": self.name,
            "role": self.entry.role,
            "message": self.entry.message_id,
            "marking": self.entry.marking,
            "simulated_time": self.entry.simulated,
        }


@dataclass(frozen=True)
class Crossing:
    """A message that crossed: positions of its sending and of its acceptance in the story."""

    message_id: str
    sent: int
    accepted: int


@dataclass(frozen=True)
class Story:
    moments: tuple[Moment, ...]
    crossings: tuple[Crossing, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "instances": sorted({m.ledger for m in self.moments}),
            "entries": [m.to_json() for m in self.moments],
            "messages": [
                {
                    "id": c.message_id,
                    "from": self.moments[c.sent].ledger,
                    "to": self.moments[c.accepted].ledger,
                    "sent": c.sent,
                    "accepted": c.accepted,
                }
                for c in self.crossings
            ],
        }


def title(event: str) -> str:
    """An event's name in words: `engagement:window:opened` is "Window opened"."""
    _, subject, action = event.split(":")
    return f"{subject.replace('-', ' ').capitalize()} {action.replace('-', ' ')}"


def weave(ledgers: Mapping[str, Sequence[Entry]], names: Mapping[str, str]) -> Story:
    """Join ledgers, keyed by the instance's name, into one story."""
    senders = {
        entry.message_id: name
        for name, entries in ledgers.items()
        for entry in entries
        if entry.event == Event.MESSAGE_MESSAGE_SENT
    }
    lanes = {
        name: deque(
            Moment(name, entry, _name(entry, names), _by(name, entry, senders)) for entry in entries
        )
        for name, entries in ledgers.items()
        if entries
    }
    unsent = {
        moment.entry.message_id
        for lane in lanes.values()
        for moment in lane
        if moment.entry.event == Event.MESSAGE_MESSAGE_SENT
    }
    moments: list[Moment] = []
    while lanes:
        moment = _next(lanes, unsent)
        lanes[moment.ledger].popleft()
        if not lanes[moment.ledger]:
            del lanes[moment.ledger]
        if moment.entry.event == Event.MESSAGE_MESSAGE_SENT:
            unsent.discard(moment.entry.message_id)
        moments.append(moment)
    return Story(tuple(moments), tuple(_crossings(moments)))


def _next(lanes: Mapping[str, deque[Moment]], unsent: Container[str | None]) -> Moment:
    """The earliest head that waits for no message; where clocks disagree, the earliest head."""
    heads = [lane[0] for lane in lanes.values()]
    waiting = [
        head
        for head in heads
        if head.entry.event == Event.MESSAGE_MESSAGE_ACCEPTED and head.entry.message_id in unsent
    ]
    earliest = min(heads, key=_order)
    free = [head for head in heads if head not in waiting]
    if not free or (earliest in waiting and min(map(_time, free)) > _time(earliest)):
        return earliest
    return min(free, key=_order)


def _time(moment: Moment) -> datetime:
    return moment.entry.time


def _order(moment: Moment) -> tuple[datetime, str]:
    return moment.entry.time, moment.ledger


def _name(entry: Entry, names: Mapping[str, str]) -> str:
    """A message's own name (its type) where it crossed, else the object's."""
    if entry.event.startswith("message:") and entry.message_id and entry.message_id in names:
        return names[entry.message_id]
    return names.get(entry.object_id, "")


def _by(ledger: str, entry: Entry, senders: Mapping[str | None, str]) -> str:
    """The other ledger whose message brought an entry about, "" for none."""
    sender = senders.get(entry.message_id, ledger)
    return "" if sender == ledger or entry.event.startswith("message:") else sender


def _crossings(moments: Sequence[Moment]) -> list[Crossing]:
    sent: dict[str, int] = {}
    result = []
    for position, moment in enumerate(moments):
        message_id = moment.entry.message_id
        if not message_id:
            continue
        if moment.entry.event == Event.MESSAGE_MESSAGE_SENT:
            sent.setdefault(message_id, position)
        elif moment.entry.event == Event.MESSAGE_MESSAGE_ACCEPTED and message_id in sent:
            result.append(Crossing(message_id, sent[message_id], position))
    return result
