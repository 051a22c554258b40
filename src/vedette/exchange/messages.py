"""The one table of what crosses: every message type, who may send it to whom, every field.

Rules:
- A type or a field that is not in this table does not cross.
- No type sets or moves a release date: a window names only its own two hours, and the lab alone
  sends those. A dossier may tell planned dates, as the lab's own words and nobody's clock.
- Fields are checked on the way out and on the way in.
- `thread` names the act, case or session that a message belongs to; a message whose thread has
  not arrived yet waits for it.
"""

from __future__ import annotations

from vedette.exchange.access_rows import ACCESS_ROWS
from vedette.exchange.fields import (
    ATTACHMENTS,
    DIGEST,
    HEX,
    ID,
    LONG,
    NOTE,
    Choice,
    Document,
    Field,
    ListOf,
    Record,
    Text,
    TextMap,
    Time,
    Whole,
)
from vedette.exchange.partner_rows import PARTNER, PARTNER_ROWS
from vedette.exchange.review_rows import EXTRACT_HOLDS, REVIEW_ROWS
from vedette.exchange.rows import BEHALF, CLEARINGHOUSE, LAB, OFFICE, OPERATOR, Added, MessageType
from vedette.exchange.rows import row as _row
from vedette.exchange.terms_rows import TERMS_ROWS
from vedette.exchange.upkeep import UPKEEP
from vedette.kernel.bounds import MIB

__all__ = ["ACT_KINDS", "BY_NAME", "PURPOSES", "TABLE", "Added", "MessageType"]

ACT_KINDS = ("determination-request", "access-window", "partner-selection")
PURPOSES = ("confirmation", "robustness", "supplementation")
COUNTS: dict[str, Field] = {
    "calls": Whole(),
    "failed": Whole(),
    "input_tokens": Whole(),
    "output_tokens": Whole(),
    "requests_digest": DIGEST,
}
EVIDENCE = Document(limit=262_144, required=False)


FINDING: dict[str, Field] = {
    "finding": ID,
    "title": Text(2000),
    "description": LONG,
    "vendor": Text(required=False),
    "product": Text(),
    "component": Text(required=False),
    "version": Text(100, required=False),
    "file": Text(required=False),
    "function": Text(required=False),
    "cwe": ListOf(Text(12, r"CWE-[0-9]{1,5}"), 20, required=False),
    "stack": ListOf(Text(300), 256, required=False),
    "references": ListOf(Text(2000), 50, required=False),
    "recipe": Document(limit=1_048_576, required=False),
    "evidence": EVIDENCE,
    "origin": Text(40, required=False),
    "attachments": ATTACHMENTS,
}


_ROWS: tuple[MessageType, ...] = (
    _row(
        "access.ended",
        {LAB},
        {OFFICE},
        "A session has ended: at the window's end, or at once by the lab.",
        session=ID,
        reason=Text(),
    ),
    _row(
        "access.metered",
        {LAB, OFFICE},
        {LAB, OFFICE},
        "One side's count of a session's calls, for comparison with the other's.",
        session=ID,
        **COUNTS,
    ),
    _row(
        "access.opened",
        {LAB},
        {OFFICE},
        "A session is open: where the proxy is, and a credential sealed for the office.",
        session=ID,
        url=Text(500),
        credential=Text(2000),
        model=Text(200),
        dialect=Choice(("openai", "anthropic"), required=False),
        build=Text(200),
        safeguards=Text(200),
        expires=Time(),
        quota_calls=Whole(),
        quota_tokens=Whole(),
    ),
    _row(
        "access.refused",
        {LAB},
        {OFFICE},
        "A session was not opened, and the plain reason.",
        session=ID,
        reason=Text(),
    ),
    _row(
        "access.requested",
        {OFFICE},
        {LAB},
        "A named person asks for a session for one purpose.",
        session=ID,
        act=ID,
        person=Text(),
        purpose=Choice(PURPOSES),
    ),
    _row(
        "assessment.shared",
        {OFFICE},
        {LAB},
        "A capability assessment of the lab's model, as far as it is releasable to the lab.",
        assessment=ID,
        act=ID,
        document=Document(),
        digest=DIGEST,
        declassify=Text(200, required=False),
    ),
    _row(
        "custody.copies-told",
        {OFFICE},
        {LAB},
        "Which offices got an extract of an act's material and were asked to destroy it, which of"
        " them have certified it, and which hold it back, on what basis.",
        act=ID,
        number=Whole(1, 1_000_000),
        copies=ListOf(
            Record(
                {
                    "office": Text(200),
                    "asked": Time(required=False),
                    "holds": EXTRACT_HOLDS,
                    "destroyed": Time(required=False),
                    "digest": Text(71, r"sha256:[0-9a-f]{64}", required=False),
                }
            ),
            1000,
        ),
    ),
    _row(
        "custody.destroyed",
        {OFFICE},
        {LAB},
        "The certificate: what of an act's material was destroyed, by digests, with its signature.",
        act=ID,
        certificate=Document(),
        digest=DIGEST,
        signature=HEX,
    ),
    _row(
        "custody.destruction-asked",
        {LAB},
        {OFFICE},
        "The lab wishes that an act's material is destroyed before it is due. The office does it,"
        " or leaves it; a hold goes before it.",
        act=ID,
        asked=Time(),
        asked_by=Text(200),
        note=NOTE,
    ),
    _row(
        "custody.hold-lifted",
        {LAB, OFFICE},
        {LAB, OFFICE},
        "A hold on an act's material is lifted by the side that set it.",
        act=ID,
        hold=ID,
        reason=NOTE,
        lifted_by=Text(),
    ),
    _row(
        "custody.hold-set",
        {LAB, OFFICE},
        {LAB, OFFICE},
        "A records or legal hold suspends the destruction of an act's material; with its basis.",
        act=ID,
        hold=ID,
        kind=Text(40),
        basis=Text(),
        authority=Text(),
        note=NOTE,
        set_by=Text(),
        behalf=Text(200, required=False),
        begins=Time(),
        until=Time(required=False),
    ),
    _row(
        "custody.listed",
        {OFFICE},
        {LAB},
        "What the office holds of an act's material, by kind and digest.",
        act=ID,
        list=Document(),
        digest=DIGEST,
    ),
    _row(
        "determination.shared",
        {OFFICE},
        {LAB},
        "The determination record: its outcome, its maker, those consulted.",
        determination=ID,
        act=ID,
        document=Document(limit=262_144),
        digest=DIGEST,
        declassify=Text(200, required=False),
    ),
    _row(
        "engagement.answered",
        {LAB, OFFICE},
        {LAB, OFFICE},
        "One of the three acts is accepted or declined, with an optional reason.",
        act=ID,
        answer=Choice(("accepted", "declined")),
        reason=NOTE,
    ),
    _row(
        "engagement.offered",
        {LAB},
        {OFFICE},
        "The lab offers one of the three acts.",
        act=ID,
        kind=Choice(ACT_KINDS),
        basis=Text(60, required=False),
        purpose=Choice(PURPOSES, required=False),
        model=Text(200),
        opens=Time(required=False),
        closes=Time(required=False),
        partner=Record(PARTNER, required=False),
        partners=ListOf(Record({"id": ID, **PARTNER}), 200, required=False),
        dossier=TextMap(required=False),
        note=NOTE,
        answer_by=Time(required=False),
        declassify=Text(200, required=False),
        attachments=ATTACHMENTS,
    ),
    _row(
        "engagement.withdrawn",
        {LAB, OFFICE},
        {LAB, OFFICE},
        "An act is withdrawn by either side, at any time, with an optional reason.",
        act=ID,
        reason=NOTE,
    ),
    _row(
        "finding.answered",
        {CLEARINGHOUSE},
        {LAB, OFFICE, OPERATOR},
        "What became of a reported finding.",
        finding=ID,
        state=Text(40),
        case=Text(40, r"([a-z]{2,20}-[2-9a-z]{16})?", required=False),
        reasons=ListOf(Text(1000), 50),
    ),
    _row(
        "finding.copied",
        {OFFICE},
        {LAB},
        "A copy to the lab of what its model's run uncovered.",
        **FINDING,
    ),
    _row(
        "finding.reported",
        {LAB, OFFICE, OPERATOR},
        {CLEARINGHOUSE},
        "A vulnerability, with the recipe that shows it.",
        **FINDING,
        behalf=BEHALF,
        scan=Text(40, ID.pattern, required=False),
        # an office's alone, after its exposure decision, which names the digest of exactly this
        build=Document(limit=4 * MIB, required=False),
    ),
    _row(
        "index.published",
        {CLEARINGHOUSE},
        {OPERATOR},
        "A new index of advisories: its digest, and where to pull it.",
        index=ID,
        digest=DIGEST,
        size=Whole(),
        advisories=Whole(),
        url=Text(500),
        published=Time(),
    ),
    _row(
        "notice.answered",
        {OPERATOR},
        {CLEARINGHOUSE},
        "What an operator chooses to say of one advisory; its inventory stays home.",
        notice=ID,
        advisory=Text(100),
        state=Choice(("unanswered", "patched", "verified", "deferred", "not-affected")),
        control=NOTE,
        expires=Time(required=False),
        answered=Time(),
    ),
    _row(
        "reading.reported",
        {OFFICE},
        {LAB},
        "Who read how much of an act's material on which day, and how often it looked unusual.",
        report=ID,
        act=ID,
        begins=Time(),
        until=Time(),
        rows=ListOf(
            Record(
                {
                    "person": Text(),
                    "day": Text(10, r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
                    "kind": Text(40),
                    "views": Whole(),
                }
            ),
            5_000,
        ),
        alerts=Whole(),
    ),
    *ACCESS_ROWS,
    *PARTNER_ROWS,
    *REVIEW_ROWS,
    *TERMS_ROWS,
    *UPKEEP,
)
TABLE = tuple(sorted(_ROWS, key=lambda row: row.name))

BY_NAME = {row.name: row for row in TABLE}
