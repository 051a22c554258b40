"""Every module that registers a message handler or a job: imported once at start."""

from vedette.services import (
    access,
    accounts,
    engagement,
    inbox,
    metering,
    outbox,
    partners,
    peers,
    terms,
    windows,
)

__all__ = [
    "access",
    "accounts",
    "engagement",
    "inbox",
    "metering",
    "outbox",
    "partners",
    "peers",
    "terms",
    "windows",
]
