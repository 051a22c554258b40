"""What crosses for the exchange's own sake: files, receipts, and what was lost. Any two peers."""

from __future__ import annotations

from dataclasses import replace

from vedette.exchange.fields import (
    ATTACHMENTS,
    DIGEST,
    ID,
    NOTE,
    Choice,
    Document,
    ListOf,
    Record,
    Text,
    Whole,
    YesNo,
)
from vedette.exchange.rows import MessageType, row
from vedette.kernel.bounds import MIB
from vedette.kernel.permissions import Profile

# count, and per bucket of ids an exclusive or of digests, 16 hex digits each (see `have`)
SUMS = Record({"count": Whole(), "buckets": Text(2_097_152, r"([0-9a-f]{16})+")})

UPKEEP: tuple[MessageType, ...] = (
    row(
        "attachment.offered",
        set(Profile),
        set(Profile),
        "Files that belong to the thread's act, case or finding; their content follows in chunks.",
        note=NOTE,
        attachments=replace(ATTACHMENTS, required=True),
    ),
    row(
        "exchange.have",
        set(Profile),
        set(Profile),
        "Sums of the messages that one side has sent and taken, so that both find what is lost.",
        sent=SUMS,
        taken=SUMS,
        answer=YesNo(),
    ),
    row(
        "exchange.receipt",
        set(Profile),
        set(Profile),
        "What became of messages that came in a file.",
        receipts=ListOf(
            Record(
                {
                    "message": ID,
                    "digest": DIGEST,
                    "status": Choice(("accepted", "already", "refused")),
                    "detail": Text(500, required=False),
                }
            ),
            1000,
        ),
        attachments=ListOf(
            Record(
                {
                    "attachment": ID,
                    "state": Choice(("here", "refused", "pointer")),
                    "detail": Text(500, required=False),
                }
            ),
            1000,
            required=False,
        ),
    ),
    row(
        "exchange.returned",
        set(Profile),
        set(Profile),
        "Messages that their own sender has lost, given back as they were signed.",
        envelopes=ListOf(Document(limit=16 * MIB), 1000),
    ),
)
