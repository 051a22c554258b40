"""What a row of the table of messages says, and what several rows share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vedette.exchange.fields import ID, Field, Record, Text, YesNo
from vedette.kernel.permissions import Profile

LAB, OFFICE = Profile.LAB, Profile.OFFICE
CLEARINGHOUSE, OPERATOR = Profile.CLEARINGHOUSE, Profile.OPERATOR

# a partner that a lab speaks for: by name where it agreed to be named, else by its pseudonym
BEHALF = Record(
    {
        "reference": ID,
        "name": Text(120),
        "named": YesNo(),
        "sector": Text(100, required=False),
    },
    required=False,
)


@dataclass(frozen=True)
class Added:
    """A required field that came with `version`: older messages read as if it held `instead`."""

    version: int
    instead: Any


@dataclass(frozen=True)
class MessageType:
    """One row: name, sender and receiver profiles, body, and what it is for."""

    name: str
    senders: frozenset[Profile]
    receivers: frozenset[Profile]
    body: Record
    purpose: str
    version: int = 1
    added: Mapping[str, Added] = field(default_factory=dict)


def row(
    name: str, senders: set[Profile], receivers: set[Profile], purpose: str, /, **fields: Field
) -> MessageType:
    return MessageType(name, frozenset(senders), frozenset(receivers), Record(fields), purpose)
