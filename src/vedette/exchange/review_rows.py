"""What crosses while offices work together: dossiers sent anew, questions, consultations."""

from __future__ import annotations

from vedette.exchange.fields import (
    DIGEST,
    HEX,
    ID,
    LONG,
    NOTE,
    Choice,
    Document,
    ListOf,
    Record,
    Text,
    TextMap,
    Time,
    Whole,
)
from vedette.exchange.rows import LAB, OFFICE, MessageType, row

# holds of a consulted office on the extract that it holds: all of them, with what became of each
EXTRACT_HOLDS = ListOf(
    Record(
        {
            "hold": ID,
            "kind": Text(40),
            "basis": Text(),
            "authority": Text(),
            "note": NOTE,
            "set_by": Text(),
            "begins": Time(),
            "until": Time(required=False),
            "lifted": Time(required=False),
            "lifted_by": Text(required=False),
            "reason": NOTE,
        }
    ),
    100,
    required=False,
)


REVIEW_ROWS: tuple[MessageType, ...] = (
    row(
        "consultation.answered",
        {OFFICE},
        {OFFICE},
        "What a consulted office holds, or that it declines; a later answer has a higher number.",
        consultation=ID,
        number=Whole(1, 100_000),
        answer=Choice(("agrees", "disagrees", "no view", "declined")),
        reasons=NOTE,
        proposal=Text(71, r"(sha256:[0-9a-f]{64})?", required=False),
        answered=Time(),
    ),
    row(
        "consultation.asked",
        {OFFICE},
        {OFFICE},
        "A lead office asks another for its view: the marked extract that it shares, and what it"
        " proposes. A day that it wishes for binds nobody.",
        consultation=ID,
        number=Whole(1, 100_000),
        kind=Choice(("determination-request", "access-window", "partner-selection")),
        model=Text(200),
        lab=Text(200),
        extract=TextMap(),
        markings=TextMap(text_limit=200),
        proposal=LONG,
        readers=ListOf(Text(254), 1000, required=False),
        note=NOTE,
        wished_for=Time(required=False),
        source=Text(300, required=False),
        declassify=Text(200, required=False),
        pack=Text(100),
        pack_digest=DIGEST,
    ),
    row(
        "consultation.destroyed",
        {OFFICE},
        {OFFICE},
        "The certificate of a consulted office: what it held of an extract was destroyed with its"
        " key, by digests, with its signature.",
        consultation=ID,
        number=Whole(1, 100_000),
        certificate=Document(),
        digest=DIGEST,
        signature=HEX,
    ),
    row(
        "consultation.destruction-asked",
        {OFFICE},
        {OFFICE},
        "What an extract came from is destroyed: the office that got it destroys its copy and"
        " certifies it. It means what was asked up to this number.",
        consultation=ID,
        number=Whole(1, 100_000),
        asked=Time(),
    ),
    row(
        "consultation.holds-told",
        {OFFICE},
        {OFFICE},
        "The records and legal holds by which a consulted office keeps its extract, each with its"
        " basis; the highest number counts. The lead tells the lab.",
        consultation=ID,
        number=Whole(1, 100_000),
        holds=EXTRACT_HOLDS,
    ),
    row(
        "dossier.updated",
        {LAB},
        {OFFICE},
        "The dossier's fields that go along with an act, as they are now: all that still crosses,"
        " and where the lab likes why another does not. The highest number counts.",
        act=ID,
        number=Whole(1, 100_000),
        dossier=TextMap(),
        withheld=TextMap(text_limit=2_000),
        pack=Text(100),
        pack_digest=DIGEST,
    ),
    row(
        "question.answered",
        {LAB},
        {OFFICE},
        "The lab answers a question on a field, declines or leaves it. No reason is owed.",
        question=ID,
        number=Whole(1, 100_000),
        answer=Choice(("answered", "declined", "left")),
        text=Text(20_000, required=False),
    ),
    row(
        "question.asked",
        {OFFICE},
        {LAB},
        "An office asks on one field of the dossier. No clock stops for it; a day that the office"
        " wishes for binds nobody.",
        question=ID,
        act=ID,
        field=Text(64, r"[a-z][a-z0-9_.-]{0,63}"),
        text=Text(4_000),
        follows=Text(40, r"[a-z]{2,20}-[2-9a-z]{16}", required=False),
        behalf=Text(200, required=False),
        wished_for=Time(required=False),
    ),
)
