"""Every module that registers a message handler or a job: imported once at start."""

from vedette.services import accounts, inbox, outbox, peers

__all__ = ["accounts", "inbox", "outbox", "peers"]
